import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import {
  type EntityUid,
  entityKey,
  entityUidsIn,
  isActionType,
  toEntityUid,
} from '../../src/base/model/entity-uid.ts'
import { type Cedar, createCedar } from '../../src/policy/cedar/cedar.ts'
import { createEngine, type Evaluation } from '../../src/policy/cedar/engine.ts'
import type { Entities } from '../../src/policy/cedar/entities.ts'
import { type Families, readFamilies } from '../../src/policy/cedar/families.ts'
import { readFootprint } from '../../src/policy/cedar/footprint.ts'
import { locateParts, type Policy } from '../../src/policy/cedar/policies.ts'
import { reachableFrom } from '../../src/policy/cedar/reachable.ts'
import { createSlicer } from '../../src/policy/cedar/slices.ts'

/** Requests of Cedar's own corpora and what Cedar is known to answer. */
export type CorpusSet = {
  readonly policies: string
  /** In Cedar's syntax or as JSON. */
  readonly schema: string | undefined
  /** Whether policies are named by `@id`, as Cedar's command line does it, or `policy0`, `policy1`, … alone. */
  readonly isNamedById: boolean
  /** Whether the policies fit the schema; `undefined` when nobody says. */
  readonly shouldValidate: boolean | undefined
  readonly requests: readonly CorpusRequest[]
}

/** One request; entities and context are Cedar's JSON. */
export type CorpusRequest = {
  readonly name: string
  readonly principal: EntityUid
  readonly action: EntityUid
  readonly resource: EntityUid
  readonly context: Readonly<Record<string, unknown>>
  readonly entities: readonly unknown[]
}

/** The result of one request. */
export type CorpusAnswer = {
  /** As Waywarden decides: a forbid that cannot be evaluated denies. */
  readonly decision: 'allow' | 'deny'
  /** As Cedar does: it passes over whatever cannot be evaluated. */
  readonly cedarDecision: 'allow' | 'deny'
  readonly reasons: readonly string[]
  readonly errors: readonly string[]
  readonly fault: string | undefined
}

/** The answers in the order of the requests, and whether the policies fit the schema. */
export type CorpusAnswers = {
  readonly isValid: boolean | undefined
  readonly answers: readonly CorpusAnswer[]
}

const none: Families = { types: new Map(), actions: new Map() }

/** Asks the engine as a revision would: sliced, with only the entities and the context that can be read, remembered. */
export function runCorpus(set: CorpusSet): CorpusAnswers | string {
  const cedar = createCedar()
  const schema = toSchemaText(cedar, set.schema)
  if (typeof schema === 'object') return schema.fault
  const policies = parseCorpusPolicies(cedar, set)
  if (typeof policies === 'string') return policies
  const engine = createEngine(schema)
  const declared = schema === undefined ? undefined : cedar.schemaToJson(schema)
  const families = declared?.type === 'success' ? readFamilies(declared.json) : none
  const worlds = set.requests.map(({ entities }) => toEntities(entities))
  // The engine keeps a slice under its key, so one slicer must know what the entities of any request allow.
  const sliceOf = createSlicer(policies, worlds.reduce(withEntities, families))
  const answers = set.requests.map((request, index): CorpusAnswer => {
    const entities = worlds[index] ?? new Map()
    const { principal, action, resource } = request
    const service = { name: serviceOf(resource, entities) }
    const slice = sliceOf({ service, action, resource }, principal.type)
    const { literals, context: read, descents } = readFootprint(slice.policies)
    const roots =
      descents === undefined
        ? [principal, action, resource, ...literals, ...entityUidsIn(request.context)]
        : [...descents].map((variable) => request[variable])
    // With a schema Cedar wants the context whole, and knows the actions.
    const isRead = (name: string) => schema !== undefined || read === undefined || read.has(name)
    const context = Object.fromEntries(Object.entries(request.context).filter(([name]) => isRead(name)))
    const call = {
      principal,
      action,
      resource,
      // The corpus is trusted to hold Cedar's JSON; the engine refuses it otherwise.
      context: context as Record<string, CedarValueJson>,
      entities: [...reachableFrom(roots, entities)].flatMap(([key, { type }]) =>
        schema !== undefined && isActionType(type) ? [] : (entities.get(key) ?? []),
      ),
    }
    return toAnswer(engine.evaluate(call, slice), policies)
  })
  return { isValid: validates(cedar, schema, policies), answers }
}

function toSchemaText(
  cedar: Cedar,
  schema: string | undefined,
): string | undefined | { readonly fault: string } {
  if (schema === undefined || !schema.trimStart().startsWith('{')) return schema
  const answer = cedar.schemaToText(JSON.parse(schema))
  return answer.type === 'success'
    ? answer.text
    : { fault: `schema: ${answer.errors.map(({ message }) => message).join('; ')}` }
}

/** Cedar names policies in the order in which they stand. */
function parseCorpusPolicies(
  cedar: Cedar,
  { policies: text, isNamedById }: CorpusSet,
): readonly Policy[] | string {
  const parts = cedar.policySetTextToParts(text)
  if (parts.type === 'failure') return parts.errors.map(({ message }) => message).join('; ')
  if (parts.policy_templates.length > 0) return 'expected policies, found a template'
  return locateParts(text, parts.policies).flatMap(({ part }, index) => {
    const answer = cedar.policyToJson(part)
    if (answer.type === 'failure') return []
    const annotations = answer.json.annotations ?? {}
    const id = (isNamedById ? annotations['id'] : undefined) ?? `policy${index}`
    return [{ id, file: '', line: 0, text: part, json: answer.json, annotations }]
  })
}

function toEntities(listed: readonly unknown[]): Entities {
  const entities = new Map<string, EntityJson>()
  for (const item of listed) {
    // Trusted as above; names are brought into the one spelling that `reachableFrom` reads.
    const { uid, attrs = {}, parents = [], tags } = item as EntityJson
    const name = toEntityUid(uid)
    const above = parents.map(toEntityUid)
    const whole = { uid: name, attrs, parents: above, ...(tags === undefined ? {} : { tags }) }
    entities.set(entityKey(name), whole)
  }
  return entities
}

/** Without a schema, or with actions that only the entities order, families are what the entities say. */
function withEntities(families: Families, entities: Entities): Families {
  const [types, actions] = [new Map(families.types), new Map(families.actions)]
  for (const [key, { uid }] of entities) {
    const self = toEntityUid(uid)
    const above = reachableFrom([self], entities)
    if (isActionType(self.type)) {
      actions.set(key, new Map([...(actions.get(key) ?? []), ...above]))
    } else {
      const known = types.get(self.type) ?? [self.type]
      types.set(self.type, new Set([...known, ...[...above.values()].map(({ type }) => type)]))
    }
  }
  return { types, actions }
}

/** Slices take a `Service` for the one that the request goes to, so a corpus's own must be found. */
function serviceOf(resource: EntityUid, entities: Entities): string {
  const above = reachableFrom([resource], entities).values()
  return [...above].find(({ type }) => type === 'Service')?.id ?? ''
}

function toAnswer(evaluation: Evaluation, policies: readonly Policy[]): CorpusAnswer {
  if (evaluation.kind !== 'answered') {
    const fault = evaluation.message
    return { decision: 'deny', cedarDecision: 'deny', reasons: [], errors: [], fault }
  }
  const errors = evaluation.errors.map(({ policyId }) => policyId)
  const forbids = new Set(policies.filter(({ json }) => json.effect === 'forbid').map(({ id }) => id))
  const cedarDecision = evaluation.isAllowed ? 'allow' : 'deny'
  const decision = errors.some((id) => forbids.has(id)) ? 'deny' : cedarDecision
  const reasons = evaluation.determiningPolicies.toSorted()
  return { decision, cedarDecision, reasons, errors: errors.sort(), fault: undefined }
}

function validates(
  cedar: Cedar,
  schema: string | undefined,
  policies: readonly Policy[],
): boolean | undefined {
  if (schema === undefined) return undefined
  const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]))
  const answer = cedar.validate({ schema, policies: { staticPolicies } })
  return answer.type === 'success' && answer.validationErrors.length === 0
}
