import type { CedarValueJson, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs'
import type { EntityUid } from '../model/entity-uid.ts'
import { type Cedar, createCedar } from './cedar.ts'
import { createEngine, type Evaluation } from './engine.ts'
import { type Entities, entityKey } from './entities.ts'
import { readFootprint } from './footprint.ts'
import type { Policy } from './policies.ts'
import { reachableFrom } from './reachable.ts'
import { createSlicer, type Families, readFamilies } from './slices.ts'

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

/** What came of one request. */
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

/** Asks the engine as a revision would: sliced, with only the entities and the context that can be read, remembered. */
export function runCorpus(set: CorpusSet): CorpusAnswers | string {
  const cedar = createCedar()
  const schema = toSchemaText(cedar, set.schema)
  if (typeof schema === 'object') return schema.fault
  const policies = parseCorpusPolicies(cedar, set)
  if (typeof policies === 'string') return policies
  const engine = createEngine(schema)
  const declared = schema === undefined ? undefined : cedar.schemaToJson(schema)
  const families = declared?.type === 'success' ? readFamilies(declared.json) : undefined
  const answers = set.requests.map((request): CorpusAnswer => {
    const entities = toEntities(request.entities)
    const sliceOf = createSlicer(policies, withKin(families, entities))
    const { principal, action, resource } = request
    const service = { name: serviceOf(resource, entities) }
    const slice = sliceOf({ service, action, resource }, principal.type)
    const { literals, context: read, descents } = readFootprint(slice.policies)
    const roots =
      descents === undefined
        ? [principal, action, resource, ...literals, ...uidsIn(request.context)]
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
      entities: [...reachableFrom(roots, entities).values()].filter(
        ({ uid }) => schema === undefined || !isAction(uid as TypeAndId),
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
  const inOrder = parts.policies.toSorted((a, b) => text.indexOf(a) - text.indexOf(b))
  return inOrder.flatMap((part, index) => {
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
    const name = toUid(uid)
    const whole = { uid: name, attrs, parents: parents.map(toUid), ...(tags === undefined ? {} : { tags }) }
    entities.set(entityKey(name), whole)
  }
  return entities
}

function toUid(uid: EntityJson['uid']): TypeAndId {
  return '__entity' in uid ? uid.__entity : uid
}

/** Without a schema, or with actions that only the entities order, families are what the entities say. */
function withKin(families: Families | undefined, entities: Entities): Families {
  const types = new Map([...(families?.types ?? [])].map(([type, above]) => [type, new Set(above)]))
  const actions = new Map([...(families?.actions ?? [])].map(([id, above]) => [id, new Set(above)]))
  for (const { uid } of entities.values()) {
    const self = uid as TypeAndId
    const above = [...reachableFrom([self], entities).values()].flatMap(({ uid: one, parents }) => [
      one,
      ...parents,
    ])
    const [map, keyOf] = isAction(self)
      ? [actions, ({ id }: TypeAndId) => id]
      : [types, ({ type }: TypeAndId) => type]
    const family = map.get(keyOf(self)) ?? new Set([keyOf(self)])
    for (const kin of above) family.add(keyOf(kin as TypeAndId))
    map.set(keyOf(self), family)
  }
  return { types, actions }
}

/** Slices take a `Service` for the one that the request goes to, so a corpus's own must be found. */
function serviceOf(resource: EntityUid, entities: Entities): string {
  const above = reachableFrom([resource], entities).values()
  const found = [...above].flatMap(({ uid, parents }) => [uid, ...parents] as TypeAndId[])
  return [resource, ...found].find(({ type }) => type === 'Service')?.id ?? ''
}

function isAction({ type }: TypeAndId): boolean {
  return type === 'Action' || type.endsWith('::Action')
}

function* uidsIn(value: unknown): Generator<TypeAndId> {
  if (typeof value !== 'object' || value === null) return
  if ('type' in value && 'id' in value && typeof value.type === 'string' && typeof value.id === 'string') {
    yield { type: value.type, id: value.id }
  }
  for (const child of Object.values(value)) yield* uidsIn(child)
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
