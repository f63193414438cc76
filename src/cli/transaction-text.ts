import { isConnection } from '../base/model/check-input.ts'
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

/** The style of a tree: boxes and colours for people, plain for scripts. */
type Style = Pick<Terminal, 'isTerminal' | 'hasColors'>

const outcomeColors = { allow: 'green', observed: 'yellow', deny: 'red' } as const satisfies Record<
  string,
  Color
>
const shortRevision = 12

/**
 * Deeper hops are drawn at this depth and show their real depth, so that the output does not grow with the square of the
 * depth.
 */
export const maxDrawnDepth = 32

/** Formats a transaction as a tree for people, line by line. */
export function* formatTransaction(transaction: Transaction, style: Style): Generator<string> {
  const { txn, decisions, first, last } = transaction
  yield paint(userOf(transaction), 'bold', style)
  const when = first === last ? first : `${first} to ${last}`
  yield paint(`txn ${txn}: ${formatCount(decisions, 'decision')}, ${when}`, 'dim', style)
  const isMixed = isAnyClaimed(transaction)
  // The indentation of each depth of the walk.
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

/** Returns the user of the transaction. */
export function userOf({ subject }: Transaction): string {
  if (subject === undefined) return 'nobody: no chain'
  return `user ${subject.issuerName}/${subject.id} (groups ${subject.groups.join(', ') || 'none'})`
}

/** Returns the decision in one or two words. */
export function decisionOf({ record }: Hop): string {
  return record.code === undefined ? record.outcome : `${record.outcome} ${record.code}`
}

/** Returns the callee: the agent or service, by the catalog's name. */
export function calleeOf({ record }: Hop): string {
  return record.service?.name ?? record.request?.destinationAddress ?? 'an unknown service'
}

/** Returns the target of the request. */
export function wantedOf({ record }: Hop): string {
  const { target, request } = record
  if (target !== undefined) return `${target.action.id} on ${formatEntityUid(target.resource)}`
  if (request === undefined) return 'an unreadable request'
  return isConnection(request) ? 'a connection without HTTP' : `${request.method} ${request.path}`
}

/** Returns the real depth of a hop that is drawn at another depth. */
export function depthOf({ depth }: Pick<Visit, 'depth'>): string {
  return depth > maxDrawnDepth ? `[depth ${depth}] ` : ''
}

/** Returns the last part of a SPIFFE ID, which is how people know a workload. */
export function shortName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1)
}

/** True if some records come from no signed log and others do. */
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
    ...(standing === 'claimed' && isMixed ? ['unproven: it comes from no signed log'] : []),
  ]
}
