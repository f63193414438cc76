import { formatEntityUid } from '../model/entity-uid.ts'
import { actorsBefore, decidingPolicies, type Hop, type Transaction } from '../review/transaction.ts'
import { type Color, paint, type Terminal, toLine } from './terminal.ts'

/** How a tree is drawn: where people look, with boxes and colours; else so that a script can read it. */
type Style = Pick<Terminal, 'isTerminal' | 'hasColors'>

const outcomeColors = { allow: 'green', observed: 'yellow', deny: 'red' } as const satisfies Record<
  string,
  Color
>
const shortRevision = 12

/** A transaction as a tree for people. */
export function formatTransaction(transaction: Transaction, style: Style): readonly string[] {
  const { txn, decisions, first, last, hops } = transaction
  const count = `${decisions} decision${decisions === 1 ? '' : 's'}`
  return [
    `${paint(userOf(transaction), 'bold', style)}`,
    paint(`txn ${txn}: ${count}, ${first === last ? first : `${first} to ${last}`}`, 'dim', style),
    ...hops.flatMap((hop, index) => formatHop(hop, '', index === hops.length - 1, style)),
  ]
}

/** Who it was for. */
export function userOf({ subject }: Transaction): string {
  if (subject === undefined) return 'nobody: no chain'
  return `user ${subject.issuerName}/${subject.id} (groups ${subject.groups.join(', ') || 'none'})`
}

/** The decision in one word or two. */
export function decisionOf({ record }: Hop): string {
  return record.code === undefined ? record.outcome : `${record.outcome} ${record.code}`
}

/** Who was called: the agent or service, by the catalog's name. */
export function calleeOf({ record }: Hop): string {
  return record.service?.name ?? record.request?.destinationAddress ?? 'an unknown service'
}

/** What was wanted of it. */
export function wantedOf({ record }: Hop): string {
  const { target, request } = record
  if (target !== undefined) return `${target.action.id} on ${formatEntityUid(target.resource)}`
  return request === undefined ? 'an unreadable request' : `${request.method} ${request.path}`
}

/** The last part of a SPIFFE ID, which people know a workload by. */
export function shortName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1)
}

function formatHop(hop: Hop, indent: string, isLast: boolean, style: Style): readonly string[] {
  const { record, next } = hop
  const [branch, trunk] = style.isTerminal ? [isLast ? '└─ ' : '├─ ', isLast ? '   ' : '│  '] : ['  ', '  ']
  const under = `${indent}${trunk}`
  const line = style.isTerminal && next.length > 0 ? `${under}│  ` : `${under}   `
  const decision = paint(decisionOf(hop), outcomeColors[record.outcome], style)
  const caller = record.caller === undefined ? 'an unknown caller' : shortName(record.caller.id)
  return [
    `${indent}${branch}${toLine(`${caller} -> ${calleeOf(hop)}`)}  ${decision}  ${toLine(wantedOf(hop))}`,
    ...detailsOf(hop).map((detail) => `${line}${paint(detail, 'dim', style)}`),
    ...next.flatMap((child, index) => formatHop(child, under, index === next.length - 1, style)),
  ]
}

function detailsOf({ record, isDetached }: Hop): readonly string[] {
  const policies = decidingPolicies(record)
  const revision = record.policyRevision?.slice(0, shortRevision) ?? 'none'
  const before = actorsBefore(record).map(shortName).join(' -> ')
  return [
    ...(isDetached ? [`after ${before || 'the user'}, whose hop is in none of these logs`] : []),
    `${policies.length === 0 ? 'no policy' : `by ${policies.join(', ')}`}, revision ${revision}`,
    `at ${record.time}, decision ${record.decisionId}`,
    ...(record.reason === undefined ? [] : [`because ${record.reason}`]),
  ]
}
