import type { PolicyReference, PrincipalResult } from '../model/decision.ts'
import type { Query } from '../model/query.ts'
import type { Catalog } from './catalog.ts'
import { principalUid, toCedarCall } from './cedar-call.ts'
import type { Engine, Evaluation } from './engine.ts'
import type { Entities } from './entities.ts'
import type { Policy } from './policies.ts'
import { productSchemaVersion } from './product-schema.ts'

/** What a policy repository means at one commit. Everything that was decided names the revision that decided it. */
export type Revision = {
  readonly id: string
  readonly files: ReadonlyMap<string, string>
  readonly catalog: Catalog
  readonly policies: readonly Policy[]
  /** Engine and vocabulary, each with its version. */
  readonly engineVersion: string
  readonly isReady: () => boolean
  /** Asks the policies about one principal. */
  readonly evaluate: (query: Query) => PrincipalResult
}

/** The parts of a revision, each valid by itself and with the others. */
type RevisionParts = Pick<Revision, 'id' | 'files' | 'catalog' | 'policies'> & {
  readonly entities: Entities
  readonly engine: Engine
}

/** Puts a revision together from its validated parts. */
export function createRevision({ engine, entities, ...parts }: RevisionParts): Revision {
  const byId = new Map(parts.policies.map((policy) => [policy.id, policy]))
  return {
    ...parts,
    engineVersion: `${engine.version}, vocabulary ${productSchemaVersion}`,
    isReady: engine.isReady,
    evaluate: (query) => toResult(query, engine.evaluate(toCedarCall(query, entities)), byId),
  }
}

function toResult(query: Query, evaluation: Evaluation, byId: ReadonlyMap<string, Policy>): PrincipalResult {
  const principal = principalUid(query.principal)
  const common = { principal, role: query.role }
  if (evaluation.kind !== 'answered') {
    const outcome = evaluation.kind === 'refused' ? 'error' : 'unavailable'
    const policy = { id: 'engine', file: '', line: 0 }
    return { ...common, outcome, determiningPolicies: [], errors: [{ policy, message: evaluation.message }] }
  }
  const errors = evaluation.errors.map(({ policyId, message }) => ({
    policy: toReference(policyId, byId),
    message,
  }))
  // Cedar skips a policy that errs; a forbid skipped is a permit (research/reliability-ecosystem.md 0.2).
  const hasFailedForbid = evaluation.errors.some(
    ({ policyId }) => byId.get(policyId)?.json.effect !== 'permit',
  )
  const determiningPolicies = evaluation.determiningPolicies.map((id) => toReference(id, byId))
  return { ...common, outcome: toOutcome(evaluation, hasFailedForbid), determiningPolicies, errors }
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
  return { id, file: policy?.file ?? '', line: policy?.line ?? 0 }
}
