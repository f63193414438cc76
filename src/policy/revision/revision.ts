import { createMemory } from '../../base/cache/memory.ts'
import { rememberEach } from '../../base/cache/remember.ts'
import type { PolicyReference, PrincipalResult } from '../../base/model/decision.ts'
import type { Query } from '../../base/model/query.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { type CallScope, principalUid, toCedarCall } from '../cedar/cedar-call.ts'
import type { Engine, Evaluation } from '../cedar/engine.ts'
import type { Entities } from '../cedar/entities.ts'
import type { Families } from '../cedar/families.ts'
import { readFootprint } from '../cedar/footprint.ts'
import type { NamedSubject } from '../cedar/literals.ts'
import type { Policy } from '../cedar/policies.ts'
import { productSchemaVersion } from '../cedar/product-schema.ts'
import { createSlicer, type Slice } from '../cedar/slices.ts'

/** The meaning of a policy repository at one commit. Every decision names its revision. */
export type Revision = {
  readonly id: string
  readonly files: ReadonlyMap<string, string>
  /** The digest of the files. An id may be a commit, which does not prove that a stored copy is unchanged. */
  readonly digest: string
  readonly catalog: Catalog
  readonly policies: readonly Policy[]
  /** The users and groups that the policies name. */
  readonly subjects: readonly NamedSubject[]
  /** The versions of engine and vocabulary. */
  readonly engineVersion: string
  readonly isReady: () => boolean
  /** Asks the policies about one principal. */
  readonly evaluate: (query: Query) => PrincipalResult
}

/** The validated parts of a revision. */
type RevisionParts = Pick<Revision, 'id' | 'files' | 'digest' | 'catalog' | 'policies' | 'subjects'> & {
  readonly entities: Entities
  readonly families: Families
  readonly engine: Engine
  /** True if the engine has the schema, and so knows the groups of actions. */
  readonly hasSchema: boolean
}

/** Creates a revision from its validated parts. */
export function createRevision({ engine, entities, families, hasSchema, ...parts }: RevisionParts): Revision {
  const byId = new Map(parts.policies.map((policy) => [policy.id, policy]))
  const sliceOf = createSlicer(parts.policies, families)
  const scopes = new Map<string, CallScope>()
  const scopeOf = (slice: Slice): CallScope => {
    const known = scopes.get(slice.key)
    if (known !== undefined) return known
    const footprint = readFootprint(slice.policies)
    // With the schema, Cedar knows the groups of actions and requires the whole context.
    const scope = hasSchema
      ? { entities, actions: undefined, footprint: { ...footprint, context: undefined } }
      : { entities, actions: families.actions, footprint }
    scopes.set(slice.key, scope)
    return scope
  }
  // Equal evaluations are one object, and so are their meanings. This keeps cached results small.
  const meaningOf = rememberEach((evaluation: Evaluation) => toMeaning(evaluation, byId))
  const asOne = createInterning()
  return {
    ...parts,
    engineVersion: `${engine.version}, vocabulary ${productSchemaVersion}`,
    isReady: engine.isReady,
    evaluate(query) {
      const principal = principalUid(query.principal)
      const slice = sliceOf(query.target, principal.type)
      const { outcome, determiningPolicies, errors } = meaningOf(
        engine.evaluate(toCedarCall(query, scopeOf(slice)), slice),
      )
      return asOne({ principal, role: query.role, outcome, determiningPolicies, errors })
    },
  }
}

/**
 * Returns the same revision with a hook. `begin` is called for each question about a principal, and its result when the
 * answer is there.
 */
export function watchRevision(revision: Revision, begin: (query: Query) => () => void): Revision {
  return {
    ...revision,
    evaluate(query) {
      const end = begin(query)
      try {
        return revision.evaluate(query)
      } finally {
        end()
      }
    },
  }
}

/**
 * Shares one object between equal results of a revision, because most cached results are equal. Results with errors are
 * excluded: they are rare, and their texts long.
 */
function createInterning(): (result: PrincipalResult) => PrincipalResult {
  const known = createMemory<PrincipalResult>({ maxEntries: 10_000 })
  return (result) => {
    const { principal, role, outcome, determiningPolicies, errors } = result
    if (errors.length > 0) return result
    const ids = determiningPolicies.map(({ id }) => id)
    const key = JSON.stringify([principal.type, principal.id, role, outcome, ids])
    const same = known.get(key)
    if (same === undefined) known.set(key, result)
    return same ?? result
  }
}

type Meaning = Pick<PrincipalResult, 'outcome' | 'determiningPolicies' | 'errors'>

/** Returns Cedar's answer about a principal, without the principal. */
function toMeaning(evaluation: Evaluation, byId: ReadonlyMap<string, Policy>): Meaning {
  if (evaluation.kind !== 'answered') {
    const outcome = evaluation.kind === 'refused' ? 'error' : 'unavailable'
    const policy = { id: 'engine', file: '', line: 0 }
    return { outcome, determiningPolicies: [], errors: [{ policy, message: evaluation.message }] }
  }
  const errors = evaluation.errors.map(({ policyId, message }) => ({
    policy: toReference(policyId, byId),
    message,
  }))
  // Cedar skips a policy with an evaluation error, and a skipped forbid would permit.
  const hasFailedForbid = evaluation.errors.some(
    ({ policyId }) => byId.get(policyId)?.json.effect !== 'permit',
  )
  const determiningPolicies = evaluation.determiningPolicies.map((id) => toReference(id, byId))
  return { outcome: toOutcome(evaluation, hasFailedForbid), determiningPolicies, errors }
}

function toOutcome(
  { isAllowed, determiningPolicies }: Extract<Evaluation, { kind: 'answered' }>,
  hasFailedForbid: boolean,
): PrincipalResult['outcome'] {
  if (hasFailedForbid) return 'error'
  if (isAllowed) return 'permit'
  return determiningPolicies.length > 0 ? 'forbid' : 'no-permit'
}

function toReference(id: string, byId: ReadonlyMap<string, Policy>): PolicyReference {
  const policy = byId.get(id)
  return policy === undefined ? { id, file: '', line: 0 } : referenceTo(policy)
}

/** Returns the same object each time, because thousands of cached results name the same few policies. */
const referenceTo = rememberEach(({ id, file, line }: Policy): PolicyReference => ({ id, file, line }))
