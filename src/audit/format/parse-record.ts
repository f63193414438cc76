import * as v from 'valibot'
import type { Caller } from '../../base/model/caller.ts'
import type { Chain } from '../../base/model/chain.ts'
import { denyCodes } from '../../base/model/decision.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { parseSpiffeId, type SpiffeId } from '../../base/model/spiffe-id.ts'
import type { Service, Target } from '../../base/model/target.ts'
import type { DecisionRecord, RecordedChain } from './record.ts'

const texts = v.array(v.string())
const uid = v.object({ type: v.string(), id: v.string() })
const policy = v.object({ id: v.string(), file: v.string(), line: v.number() })
const role = v.picklist(['caller', 'delegator', 'subject', 'autonomous'])
const subject = v.object({ issuerName: v.string(), issuer: v.string(), id: v.string(), groups: texts })
// Custom code, because `v.record` drops names such as `constructor`, which a route parameter may have.
const params = v.custom<Readonly<Record<string, string>>>(isTextByName, 'expected texts by name')
const chain: v.GenericSchema<unknown, RecordedChain> = v.variant('kind', [
  v.object({ kind: v.literal('none') }),
  v.object({
    kind: v.literal('first-hop'),
    subject,
    scopes: texts,
    issuedAt: v.number(),
    expiresAt: v.number(),
    authTime: v.optional(v.number()),
  }),
  v.object({
    kind: v.literal('delegated'),
    subject,
    actors: v.array(v.object({ id: v.string(), proven: v.literal('inherited') })),
    self: v.optional(v.number()),
    scopes: texts,
    expiresAt: v.number(),
    rootIssuedAt: v.number(),
    ceiling: v.number(),
    authTime: v.optional(v.number()),
    recovered: v.optional(v.literal(true)),
    digest: v.string(),
  }),
])

// Not strict: a later Waywarden may add fields, and kept records must stay readable.
const decisionRecord: v.GenericSchema<unknown, DecisionRecord> = v.object({
  version: v.literal(1),
  kind: v.literal('decision'),
  decisionId: v.string(),
  time: v.pipe(v.string(), v.isoTimestamp()),
  durationMicros: v.number(),
  traceId: v.optional(v.string()),
  outcome: v.picklist(['allow', 'observed', 'deny']),
  code: v.optional(v.picklist(denyCodes)),
  reason: v.optional(v.string()),
  txn: v.optional(v.string()),
  jtiIn: v.optional(v.string()),
  jtiOut: v.optional(v.string()),
  parHash: v.optional(v.string()),
  kid: v.optional(v.string()),
  caller: v.optional(
    v.object({
      id: v.string(),
      provenBy: v.picklist(['xfcc', 'metadata', 'principal']),
      waypoint: v.string(),
      isIngress: v.boolean(),
    }),
  ),
  service: v.optional(v.object({ name: v.string(), spiffeId: v.string() })),
  request: v.optional(
    v.object({ method: v.string(), path: v.string(), destinationAddress: v.string(), host: v.string() }),
  ),
  target: v.optional(
    v.object({
      action: uid,
      resource: uid,
      params,
      requiredScope: v.optional(v.string()),
    }),
  ),
  chain: v.optional(chain),
  results: v.array(
    v.object({
      principal: uid,
      role,
      outcome: v.picklist(['permit', 'forbid', 'no-permit', 'error', 'unavailable']),
      policies: v.array(policy),
      errors: v.array(v.object({ policy, message: v.string() })),
    }),
  ),
  deniedBy: v.array(v.object({ principal: uid, role, policies: texts })),
  policyRevision: v.optional(v.string()),
  policyDigest: v.optional(v.string()),
  engine: v.optional(v.string()),
  pseudonymized: v.optional(v.literal(true)),
  truncated: texts,
})

/** Parses one line of an audit log. Unknown fields are dropped; an unknown version is refused. */
export function parseRecord(line: string): DecisionRecord | Invalid {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return invalid('record: expected one JSON object')
  }
  if (typeof value !== 'object' || value === null) return invalid('record: expected one JSON object')
  if (!('version' in value) || value.version !== 1)
    return invalid('record: expected version 1; a newer Waywarden may read it')
  const parsed = v.safeParse(decisionRecord, value)
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  return invalid(`record: \`${v.getDotPath(issue) ?? ''}\`: expected ${issue.expected ?? 'another value'}`)
}

/** Rebuilds the caller, to judge the decision again. */
export function toCaller(record: DecisionRecord): Caller | Invalid {
  if (record.caller === undefined) return invalid('record: the check ended before its caller was known')
  const id = parseSpiffeId(record.caller.id)
  if (isInvalid(id)) return id
  const waypoint = parseSpiffeId(record.caller.waypoint)
  if (isInvalid(waypoint)) return waypoint
  return { id, waypoint, provenBy: record.caller.provenBy, isIngress: record.caller.isIngress }
}

/** Rebuilds the chain, to judge the decision again. */
export function toChain({ chain, txn, jtiIn, pseudonymized }: DecisionRecord): Chain | Invalid {
  if (pseudonymized === true) return invalid('record: its user has a pseudonym, whom no policy knows')
  if (chain === undefined) return invalid('record: the check ended before its chain was known')
  switch (chain.kind) {
    case 'none':
      return { kind: 'none' }
    case 'first-hop':
      return { ...chain, authTime: chain.authTime }
    case 'delegated': {
      if (txn === undefined || jtiIn === undefined)
        return invalid('record: a delegated chain has `txn` and `jtiIn`')
      const actors: SpiffeId[] = []
      for (const { id } of chain.actors) {
        const actor = parseSpiffeId(id)
        if (isInvalid(actor)) return actor
        actors.push(actor)
      }
      const { recovered, self = 0, ...same } = chain
      const isRecovered = recovered === true
      return { ...same, authTime: chain.authTime, isRecovered, selfCalls: self, actors, txn, jti: jtiIn }
    }
  }
}

/**
 * Rebuilds the target, to judge the decision again. The caller finds the service by `record.service.name` in the recorded
 * revision.
 */
export function toTarget({ target, request, truncated }: DecisionRecord, service: Service): Target | Invalid {
  if (target === undefined || request === undefined) {
    return invalid('record: the check ended before its action and resource were known')
  }
  const cut = truncated.find((field) => field === 'request.path' || field.startsWith('target.'))
  if (cut !== undefined) return invalid(`record: \`${cut}\` was too long to keep whole`)
  return {
    service,
    action: target.action,
    resource: target.resource,
    params: Object.entries(target.params).map(([name, value]) => ({ name, value })),
    requiredScope: target.requiredScope,
    method: request.method,
    path: request.path,
  }
}

function isTextByName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((text) => typeof text === 'string')
}
