import type { DecisionRecord } from '../audit/format/record.ts'
import { toSafeJson } from '../base/text/json-line.ts'

/** The criteria of a search; absent ones match everything. */
export type RecordFilter = {
  /** `clerk`, or `hospital/clerk` to include the identity provider. */
  readonly user?: string | undefined
  /** A SPIFFE ID or the end of one (`agent-d`): the caller or any actor of the chain. */
  readonly agent?: string | undefined
  readonly service?: string | undefined
  readonly outcome?: string | undefined
  readonly code?: string | undefined
  /** A policy's id, or its file. */
  readonly policy?: string | undefined
  /** A revision, or the start of one. */
  readonly revision?: string | undefined
  readonly txn?: string | undefined
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
}

/** Returns texts that every matching record contains, so that most lines of a log need not be parsed. */
export function mentionsOf(filter: RecordFilter): readonly string[] {
  const { user, agent, service, outcome, code, policy, revision, txn } = filter
  const members = { outcome, code, txn }
  const exact = Object.entries(members).flatMap(([name, value]) =>
    value === undefined ? [] : [`"${name}":${toSafeJson(JSON.stringify(value))}`],
  )
  const userId = user?.split('/').at(-1)
  const parts = [userId, agent, service, policy, revision].flatMap((text) => text ?? [])
  return [...exact, ...parts.map((text) => toSafeJson(JSON.stringify(text)).slice(1, -1))]
}

/** True if a record matches the filter. */
export function matches(record: DecisionRecord, filter: RecordFilter): boolean {
  const { user, agent, service, outcome, code, policy, revision, txn, sinceMs, untilMs } = filter
  const timeMs = Date.parse(record.time)
  return (
    (sinceMs === undefined || timeMs >= sinceMs) &&
    (untilMs === undefined || timeMs < untilMs) &&
    (outcome === undefined || record.outcome === outcome) &&
    (code === undefined || record.code === code) &&
    (txn === undefined || record.txn === txn) &&
    (service === undefined || record.service?.name === service) &&
    (revision === undefined || record.policyRevision?.startsWith(revision) === true) &&
    (user === undefined || isOfUser(record, user)) &&
    (agent === undefined || agentsOf(record).some((id) => id === agent || id.endsWith(`/${agent}`))) &&
    (policy === undefined || policiesOf(record).has(policy))
  )
}

/** The names by which a record can be found, in all accepted spellings. */
export type RecordNames = {
  readonly [what in 'service' | 'user' | 'agent' | 'policy']: readonly string[]
}

/** Returns the names in a record. */
export function namesOf(record: DecisionRecord): RecordNames {
  const { chain, service } = record
  const subject = chain === undefined || chain.kind === 'none' ? undefined : chain.subject
  return {
    service: service === undefined ? [] : [service.name],
    user: subject === undefined ? [] : [subject.id, `${subject.issuerName}/${subject.id}`],
    agent: agentsOf(record).flatMap((id) => [id, id.slice(id.lastIndexOf('/') + 1)]),
    policy: [...policiesOf(record)],
  }
}

function isOfUser({ chain }: DecisionRecord, user: string): boolean {
  if (chain === undefined || chain.kind === 'none') return false
  const { issuerName, id } = chain.subject
  return user === id || user === `${issuerName}/${id}`
}

function agentsOf({ caller, chain }: DecisionRecord): readonly string[] {
  const actors = chain?.kind === 'delegated' ? chain.actors.map(({ id }) => id) : []
  return caller === undefined ? actors : [caller.id, ...actors]
}

function policiesOf({ results }: DecisionRecord): ReadonlySet<string> {
  const policies = results.flatMap((result) => [
    ...result.policies,
    ...result.errors.map(({ policy }) => policy),
  ])
  return new Set(policies.flatMap(({ id, file }) => [id, file]))
}
