import { createHash } from 'node:crypto'
import type { Chain, Subject } from '../../base/model/chain.ts'
import { deniedBy, type PolicyReference, type PrincipalResult } from '../../base/model/decision.ts'
import type { EntityUid } from '../../base/model/entity-uid.ts'
import type { RecordParts } from '../../base/model/record-parts.ts'
import type { Target } from '../../base/model/target.ts'
import { toPerCheckFields } from './per-check-fields.ts'
import type { DecisionRecord, RecordedChain, RecordedResult } from './record.ts'

// As long as the longest path that the catalog accepts, so that no input of `judge` is ever cut.
const maxJudgedLength = 8192
const maxUnjudgedLength = 512
const maxTextLength = 2048
const maxErrors = 20

/** Builds the record of one check. Every field is named here; no field enters a record through a spread. */
export function toRecord(parts: RecordParts): DecisionRecord {
  const truncated: string[] = []
  const { decision, caller, chain, target, onward, input } = parts
  const { decisionId, time, durationMicros, traceId } = toPerCheckFields(parts)
  const service = target?.service ?? parts.service
  const delegated = chain?.kind === 'delegated' ? chain : undefined
  return {
    version: 1,
    kind: 'decision',
    decisionId,
    time,
    durationMicros,
    traceId,
    outcome: decision.kind === 'deny' && parts.isObserved === true ? 'observed' : decision.kind,
    code: decision.kind === 'deny' ? decision.code : undefined,
    reason: decision.kind === 'deny' ? bound(decision.reason, 'reason', maxTextLength, truncated) : undefined,
    txn: delegated?.txn ?? onward?.txn,
    jtiIn: delegated?.jti,
    jtiOut: onward?.jti,
    parHash: onward?.parHash,
    kid: onward?.kid,
    caller: caller && {
      id: caller.id.uri,
      provenBy: caller.provenBy,
      waypoint: caller.waypoint.uri,
      isIngress: caller.isIngress,
    },
    service: service && { name: service.name, spiffeId: service.spiffeId.uri },
    request: input && toRequest(input, target !== undefined, truncated),
    target: target && toTarget(target, truncated),
    chain: chain && toRecordedChain(chain),
    results: decision.results.map((result) => toResult(result, truncated)),
    deniedBy: deniedBy(decision.results).map(({ principal, role, determiningPolicies }) => ({
      principal: toUid(principal),
      role,
      policies: determiningPolicies.map(({ id }) => id),
    })),
    policyRevision: parts.policyRevision,
    policyDigest: parts.policyDigest,
    engine: parts.engine,
    truncated,
  }
}

/**
 * Returns the request of a check that was not judged. Anybody can send such requests, so it keeps only what a reader
 * needs.
 */
function toRequest(
  input: NonNullable<RecordParts['input']>,
  isJudged: boolean,
  truncated: string[],
): DecisionRecord['request'] {
  const length = isJudged ? maxTextLength : maxUnjudgedLength
  // The query is dropped: clients put secrets there, and no decision reads it.
  const [path = ''] = input.path.split('?', 1)
  return {
    method: bound(input.method, 'request.method', length, truncated),
    path: bound(path, 'request.path', isJudged ? maxJudgedLength : maxUnjudgedLength, truncated),
    destinationAddress: bound(
      input.destinationAddress,
      'request.destinationAddress',
      maxTextLength,
      truncated,
    ),
    host: bound(input.host, 'request.host', length, truncated),
  }
}

function toTarget(target: Target, truncated: string[]): DecisionRecord['target'] {
  const params = target.params.map(
    ({ name, value }) => [name, bound(value, `target.params.${name}`, maxJudgedLength, truncated)] as const,
  )
  return {
    action: toUid(target.action),
    resource: {
      type: target.resource.type,
      id: bound(target.resource.id, 'target.resource', maxJudgedLength, truncated),
    },
    params: Object.fromEntries(params),
    requiredScope: target.requiredScope,
  }
}

function toRecordedChain(chain: Chain): RecordedChain {
  switch (chain.kind) {
    case 'none':
      return { kind: 'none' }
    case 'first-hop': {
      const { kind, scopes, issuedAt, expiresAt, authTime } = chain
      return { kind, subject: toSubject(chain.subject), scopes, issuedAt, expiresAt, authTime }
    }
    case 'delegated': {
      const { kind, scopes, expiresAt, rootIssuedAt, ceiling, authTime, isRecovered, digest } = chain
      const self = chain.selfCalls > 0 ? chain.selfCalls : undefined
      const recovered = isRecovered ? (true as const) : undefined
      const subject = toSubject(chain.subject)
      const actors = chain.actors.map(({ uri }) => ({ id: uri, proven: 'inherited' }) as const)
      const times = { expiresAt, rootIssuedAt, ceiling, authTime }
      return { kind, subject, actors, self, scopes, ...times, recovered, digest }
    }
  }
}

function toSubject({ issuerName, issuer, id, groups }: Subject): Subject {
  return { issuerName, issuer, id, groups }
}

function toResult(result: PrincipalResult, truncated: string[]): RecordedResult {
  if (result.errors.length > maxErrors) truncated.push('results.errors')
  return {
    principal: toUid(result.principal),
    role: result.role,
    outcome: result.outcome,
    policies: result.determiningPolicies.map(toPolicy),
    errors: result.errors.slice(0, maxErrors).map(({ policy, message }) => ({
      policy: toPolicy(policy),
      message: bound(message, 'results.errors.message', maxTextLength, truncated),
    })),
  }
}

function toPolicy({ id, file, line }: PolicyReference): PolicyReference {
  return { id, file, line }
}

function toUid({ type, id }: EntityUid): EntityUid {
  return { type, id }
}

function bound(text: string, field: string, maxLength: number, truncated: string[]): string {
  if (text.length <= maxLength) return text
  truncated.push(field)
  const digest = createHash('sha256').update(text).digest('hex')
  return `${text.slice(0, maxLength)}…[${text.length} characters, sha256 ${digest}]`
}
