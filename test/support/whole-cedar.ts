import type { AuthorizationAnswer, CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type EntityUid, entityKey, isActionType, toEntityUid } from '../../src/base/model/entity-uid.ts'
import type { Query } from '../../src/base/model/query.ts'
import type { Cedar } from '../../src/policy/cedar/cedar.ts'
import type { Policy } from '../../src/policy/cedar/policies.ts'

/** The inputs of Cedar besides the query and the schema. */
export type Whole = {
  readonly policies: readonly Policy[]
  /** entities.json. */
  readonly entities: readonly EntityJson[]
  /** The parents that its name gives each agent there is. */
  readonly homes: ReadonlyMap<string, readonly EntityUid[]>
}

/** Cedar's own answer. */
export type WholeAnswer = {
  readonly isAllowed: boolean
  readonly reasons: readonly string[]
  readonly errors: readonly string[]
}

/**
 * Asks Cedar about every policy with every entity, the whole context and the schema. INVARIANT: nothing here is computed
 * by the code that cuts and encodes what the product asks; only then can the two differ.
 */
export function createWholeCedar(
  cedar: Cedar,
  schema: string,
): (whole: Whole) => (query: Query) => WholeAnswer {
  const mustSucceed = (answer: { readonly type: string }) => {
    if (answer.type !== 'success') throw new TypeError(JSON.stringify(answer))
  }
  mustSucceed(cedar.preparseSchema('whole', schema))
  return ({ policies, entities, homes }) => {
    const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]))
    mustSucceed(cedar.preparsePolicySet('whole', { staticPolicies }))
    return (query) => {
      const call = {
        principal: nameOf(query.principal),
        action: query.target.action,
        resource: query.target.resource,
        context: contextOf(query),
        entities: allEntities(query, entities, homes),
        preparsedSchemaName: 'whole',
        preparsedPolicySetId: 'whole',
        validateRequest: false,
      }
      return toAnswer(JSON.parse(cedar.authorize(JSON.stringify(call))))
    }
  }
}

function toAnswer(answer: AuthorizationAnswer): WholeAnswer {
  if (answer.type === 'failure') throw new TypeError(answer.errors.map(({ message }) => message).join())
  const { decision, diagnostics } = answer.response
  return {
    isAllowed: decision === 'allow',
    reasons: diagnostics.reason,
    errors: diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`),
  }
}

function nameOf(principal: Query['principal']): EntityUid {
  if (principal.kind === 'user')
    return { type: 'User', id: `${principal.subject.issuerName}/${principal.subject.id}` }
  return { type: principal.kind === 'agent' ? 'Agent' : 'Autonomous', id: principal.id.uri }
}

function allEntities(
  { principal, chain, target }: Query,
  known: readonly EntityJson[],
  homes: Whole['homes'],
): EntityJson[] {
  const entities = new Map<string, EntityJson>()
  const add = (uid: EntityUid, parents: readonly EntityUid[], rest: Partial<EntityJson> = {}) => {
    const entity = entities.get(entityKey(uid)) ?? { uid, attrs: {}, parents: [] }
    entities.set(entityKey(uid), { ...entity, ...rest, parents: [...entity.parents, ...parents] })
  }
  // Cedar takes the actions from the schema.
  for (const { uid, parents, ...rest } of known)
    if (!isActionType(toEntityUid(uid).type)) add(toEntityUid(uid), parents.map(toEntityUid), rest)
  for (const [agent, parents] of homes) add({ type: 'Agent', id: agent }, parents)
  for (const parents of homes.values())
    for (const { type, id } of parents)
      if (type === 'Namespace')
        add(
          { type, id },
          parents.filter((parent) => parent.type === 'TrustDomain'),
        )
  const subject = principal.kind === 'user' ? principal.subject : chain.subject
  for (const one of new Set([subject, chain.subject])) {
    if (one === undefined) continue
    const groups = one.groups.map((group) => ({ type: 'Group', id: `${one.issuerName}/${group}` }))
    add({ type: 'User', id: `${one.issuerName}/${one.id}` }, groups)
  }
  if (principal.kind === 'autonomous') add(nameOf(principal), [])
  const service = { type: 'Service', id: target.service.name }
  add(service, [])
  if (target.resource.type !== 'Service') add(target.resource, [service])
  return [...entities.values()]
}

function contextOf({ role, delegatee, chain, target }: Query): Record<string, CedarValueJson> {
  const agent = (id: string) => ({ __entity: { type: 'Agent', id } })
  const { subject } = chain
  const user = subject && { __entity: { type: 'User', id: `${subject.issuerName}/${subject.id}` } }
  return {
    role,
    ...(delegatee === undefined ? {} : { delegatee: agent(delegatee.uri) }),
    chain: {
      depth: chain.actors.length,
      actors: chain.actors.map(({ uri }) => agent(uri)),
      scopes: [...chain.scopes],
      recovered: chain.isRecovered,
      ...(user === undefined ? {} : { subject: user }),
    },
    http: { method: target.method, path: target.path },
    params: Object.fromEntries(target.params.map(({ name, value }) => [name, value])),
  }
}
