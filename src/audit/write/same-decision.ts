import { toFlatString } from '../../base/cache/flat-string.ts'
import type { Caller } from '../../base/model/caller.ts'
import type { Chain, DelegatedChain, FirstHop, Subject } from '../../base/model/chain.ts'
import type { PolicyReference, PrincipalResult } from '../../base/model/decision.ts'
import { isSameEntity } from '../../base/model/entity-uid.ts'
import type { RecordParts } from '../../base/model/record-parts.ts'
import type { SpiffeId } from '../../base/model/spiffe-id.ts'
import type { Target } from '../../base/model/target.ts'

/** The parts of a check that are compared with another check. They contain no header and no token. */
export type ComparedParts = Omit<RecordParts, 'decisionId' | 'timeMs' | 'durationMicros'>

/**
 * Copies the compared parts and drops the request. Each field is named, because V8 gives an object that starts as a
 * spread its own hidden class. Thousands of them cost memory and slow down every comparison.
 */
export function toComparedParts(parts: RecordParts): ComparedParts {
  const { input, onward, decision, isObserved, policyRevision, policyDigest, engine } = parts
  const { caller, chain, service, target, questionKey } = parts
  const likeness: Whole = {
    decision,
    isObserved,
    policyRevision,
    policyDigest,
    engine,
    input: input && {
      // A slice would keep the query in memory.
      path: toFlatString(withoutQuery(input.path)),
      method: input.method,
      host: input.host,
      destinationAddress: input.destinationAddress,
      headers: noHeaders,
    },
    caller,
    chain,
    service,
    target,
    questionKey,
    onward: onward && { jti: onward.jti, txn: onward.txn, kid: onward.kid, parHash: onward.parHash },
  }
  return likeness
}

/** Ensures that no field is missing. */
type Whole = { readonly [field in keyof Required<ComparedParts>]: ComparedParts[field] }

/**
 * True if the records of two checks differ only in their per-check fields. It is written out, because it runs for every
 * check. test/audit/write/same-decision.test.ts changes each field, and the compiler adds new fields to that test.
 */
export function isSameDecision(one: ComparedParts, other: ComparedParts): boolean {
  return (
    isSameOutcome(one, other) &&
    one.policyRevision === other.policyRevision &&
    one.policyDigest === other.policyDigest &&
    one.engine === other.engine &&
    isSameInput(one.input, other.input) &&
    isSameCaller(one.caller, other.caller) &&
    isSameChain(one.chain, other.chain) &&
    isSameService(one.service, other.service) &&
    isSameTarget(one.target, other.target) &&
    isSameOnward(one.onward, other.onward)
  )
}

const noHeaders: ReadonlyMap<string, readonly string[]> = new Map()

function isSameOutcome(one: ComparedParts, other: ComparedParts): boolean {
  const [left, right] = [one.decision, other.decision]
  if (one.questionKey !== other.questionKey || one.isObserved !== other.isObserved) return false
  if (!areSameResults(left.results, right.results)) return false
  if (left.kind === 'allow' || right.kind === 'allow') return left.kind === right.kind
  return left.code === right.code && left.reason === right.reason
}

function isSameInput(one: ComparedParts['input'], other: ComparedParts['input']): boolean {
  if (one === undefined || other === undefined) return one === other
  return (
    one.method === other.method &&
    one.host === other.host &&
    one.destinationAddress === other.destinationAddress &&
    (one.path === other.path || withoutQuery(one.path) === withoutQuery(other.path))
  )
}

function isSameCaller(one: Caller | undefined, other: Caller | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return (
    isSameId(one.id, other.id) &&
    isSameId(one.waypoint, other.waypoint) &&
    one.provenBy === other.provenBy &&
    one.isIngress === other.isIngress
  )
}

function isSameChain(one: Chain | undefined, other: Chain | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  switch (one.kind) {
    case 'none':
      return other.kind === 'none'
    case 'first-hop':
      return other.kind === 'first-hop' && isSameFirstHop(one, other)
    case 'delegated':
      return other.kind === 'delegated' && isSameDelegated(one, other)
  }
}

function isSameFirstHop(one: FirstHop, other: FirstHop): boolean {
  return (
    isSameSubject(one.subject, other.subject) &&
    areSame(one.unlistedGroups ?? [], other.unlistedGroups ?? []) &&
    areSame(one.scopes, other.scopes) &&
    one.issuedAt === other.issuedAt &&
    one.expiresAt === other.expiresAt &&
    one.authTime === other.authTime
  )
}

function isSameDelegated(one: DelegatedChain, other: DelegatedChain): boolean {
  return (
    one.digest === other.digest &&
    one.isRecovered === other.isRecovered &&
    one.selfCalls === other.selfCalls &&
    one.txn === other.txn &&
    one.jti === other.jti &&
    one.expiresAt === other.expiresAt &&
    one.rootIssuedAt === other.rootIssuedAt &&
    one.ceiling === other.ceiling &&
    one.authTime === other.authTime &&
    isSameSubject(one.subject, other.subject) &&
    areSame(one.scopes, other.scopes) &&
    areSameIds(one.actors, other.actors)
  )
}

function isSameSubject(one: Subject, other: Subject): boolean {
  return (
    one.id === other.id &&
    one.issuerName === other.issuerName &&
    one.issuer === other.issuer &&
    areSame(one.groups, other.groups)
  )
}

function isSameService(one: ComparedParts['service'], other: ComparedParts['service']): boolean {
  if (one === undefined || other === undefined || one === other) return one === other
  return one.name === other.name && isSameId(one.spiffeId, other.spiffeId)
}

/** Cached results are the same objects. */
function areSameResults(one: readonly PrincipalResult[], other: readonly PrincipalResult[]): boolean {
  if (one === other) return true
  return one.length === other.length && one.every((result, at) => isSameResult(result, other[at]))
}

function isSameResult(one: PrincipalResult, other: PrincipalResult | undefined): boolean {
  if (one === other || other === undefined) return one === other
  return (
    isSameEntity(one.principal, other.principal) &&
    one.role === other.role &&
    one.outcome === other.outcome &&
    areSamePolicies(one.determiningPolicies, other.determiningPolicies) &&
    one.errors.length === other.errors.length &&
    one.errors.every(({ policy, message }, at) => {
      const error = other.errors[at]
      return error !== undefined && message === error.message && areSamePolicies([policy], [error.policy])
    })
  )
}

function areSamePolicies(one: readonly PolicyReference[], other: readonly PolicyReference[]): boolean {
  if (one === other) return true
  if (one.length !== other.length) return false
  return one.every(
    ({ id, file, line }, at) => id === other[at]?.id && file === other[at]?.file && line === other[at]?.line,
  )
}

/** Method and path are compared with the request. */
function isSameTarget(one: Target | undefined, other: Target | undefined): boolean {
  if (one === undefined || other === undefined || one === other) return one === other
  return (
    isSameService(one.service, other.service) &&
    isSameEntity(one.action, other.action) &&
    isSameEntity(one.resource, other.resource) &&
    one.requiredScope === other.requiredScope &&
    areSameParams(one.params, other.params)
  )
}

function isSameOnward(one: ComparedParts['onward'], other: ComparedParts['onward']): boolean {
  if (one === undefined || other === undefined) return one === other
  return (
    one.jti === other.jti && one.txn === other.txn && one.kid === other.kid && one.parHash === other.parHash
  )
}

function isSameId(one: SpiffeId, other: SpiffeId): boolean {
  return one === other || one.uri === other.uri
}

function areSame(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((text, at) => text === other[at]))
}

function areSameIds(one: readonly SpiffeId[], other: readonly SpiffeId[]): boolean {
  return one === other || (one.length === other.length && one.every(({ uri }, at) => uri === other[at]?.uri))
}

function areSameParams(one: Target['params'], other: Target['params']): boolean {
  if (one === other) return true
  if (one.length !== other.length) return false
  return one.every(({ name, value }, at) => name === other[at]?.name && value === other[at]?.value)
}

function withoutQuery(path: string): string {
  const end = path.indexOf('?')
  return end === -1 ? path : path.slice(0, end)
}
