import { formatEntityUid } from '../base/model/entity-uid.ts'
import { formatCount } from '../base/text/count.ts'
import {
  actorsBefore,
  decidingPolicies,
  type Hop,
  type Transaction,
  type Visit,
  visitHops,
} from '../explain/transaction.ts'
import { type Color, paint, type Terminal, toLine } from './terminal.ts'

/** How a tree is drawn: where people look, with boxes and colours; else so that a script can read it. */
type Style = Pick<Terminal, 'isTerminal' | 'hasColors'>

const outcomeColors = { allow: 'green', observed: 'yellow', deny: 'red' } as const satisfies Record<
  string,
  Color
>
const shortRevision = 12

/** Hops below this depth are drawn as if they were at it, and say how deep they are: no output grows with the square of the depth. */
export const maxDrawnDepth = 32

/** A transaction as a tree for people, line by line. */
export function* formatTransaction(transaction: Transaction, style: Style): Generator<string> {
  const { txn, decisions, first, last } = transaction
  yield paint(userOf(transaction), 'bold', style)
  const when = first === last ? first : `${first} to ${last}`
  yield paint(`txn ${txn}: ${formatCount(decisions, 'decision')}, ${when}`, 'dim', style)
  const isMixed = isAnyClaimed(transaction)
  // The indentation of each depth that a walk is in.
  const indents: string[] = ['']
  let isDeep = false
  for (const visit of visitHops(transaction)) {
    const depth = Math.min(visit.depth, maxDrawnDepth)
    isDeep ||= visit.depth > maxDrawnDepth
    const indent = indents[depth] ?? ''
    indents[depth + 1] =
      `${indent}${style.isTerminal && !visit.isLast ? '│  ' : style.isTerminal ? '   ' : '  '}`
    yield* formatHop(visit, indent, isMixed, style)
  }
  if (isDeep)
    yield paint(
      `hops deeper than ${maxDrawnDepth} are not indented further, and say their depth`,
      'dim',
      style,
    )
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

/** How deep a hop is, for those that are drawn at another depth. */
export function depthOf({ depth }: Pick<Visit, 'depth'>): string {
  return depth > maxDrawnDepth ? `[depth ${depth}] ` : ''
}

/** The last part of a SPIFFE ID, which people know a workload by. */
export function shortName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1)
}

/** Whether some of the records come from no signed log, and others do. */
function isAnyClaimed(transaction: Transaction): boolean {
  let claimed = 0
  for (const { hop } of visitHops(transaction)) if (hop.standing === 'claimed') claimed++
  return claimed > 0 && claimed < transaction.decisions
}

function formatHop(visit: Visit, indent: string, isMixed: boolean, style: Style): readonly string[] {
  const { hop, isLast } = visit
  const { record, next } = hop
  const [branch, trunk] = style.isTerminal ? [isLast ? '└─ ' : '├─ ', isLast ? '   ' : '│  '] : ['  ', '  ']
  const under = `${indent}${trunk}`
  const line = style.isTerminal && next.length > 0 ? `${under}│  ` : `${under}   `
  const decision = paint(decisionOf(hop), outcomeColors[record.outcome], style)
  const caller = record.caller === undefined ? 'an unknown caller' : shortName(record.caller.id)
  const who = `${depthOf(visit)}${caller} -> ${calleeOf(hop)}`
  return [
    `${indent}${branch}${toLine(who)}  ${decision}  ${toLine(wantedOf(hop))}`,
    ...detailsOf(hop, isMixed).map((detail) => `${line}${paint(detail, 'dim', style)}`),
  ]
}

function detailsOf({ record, standing, isDetached }: Hop, isMixed: boolean): readonly string[] {
  const policies = decidingPolicies(record)
  const revision = record.policyRevision?.slice(0, shortRevision) ?? 'none'
  const before = actorsBefore(record).map(shortName).join(' -> ')
  return [
    ...(isDetached ? [`after ${before || 'the user'}, whose hop is in none of these logs`] : []),
    `${policies.length === 0 ? 'no policy' : `by ${policies.join(', ')}`}, revision ${revision}`,
    `at ${record.time}, decision ${record.decisionId}`,
    ...(record.reason === undefined ? [] : [`because ${record.reason}`]),
    ...(standing === 'unsigned' ? ['not signed yet: a checkpoint follows within seconds'] : []),
    ...(standing === 'claimed' && isMixed ? ['taken at its word: it comes from no signed log'] : []),
  ]
}
