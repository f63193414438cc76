import { type Hop, type Transaction, type Visit, visitHops } from '../explain/transaction.ts'
import { maxDrawnDepth } from './transaction-text.ts'

/**
 * Formats a transaction as one JSON object, line by line. A hop's `next` are its followers. Deeper ones are listed in
 * `deeper` with their depth and predecessor, because readers of JSON are recursive.
 */
export function* formatJson({ hops, ...transaction }: Transaction): Generator<string> {
  const head = JSON.stringify(transaction, undefined, 2)
  yield `${head.slice(0, head.lastIndexOf('\n'))},`
  yield '  "hops": ['
  const deeper: Visit[] = []
  let open = 0
  for (const visit of visitHops({ hops })) {
    if (visit.depth > maxDrawnDepth) {
      deeper.push(visit)
      continue
    }
    if (open > visit.depth) yield `${close(open, visit.depth)},`
    yield `${indent(visit.depth)}{${toMembers(visit.hop)}, "next": [`
    open = visit.depth + 1
  }
  yield `${open === 0 ? '' : close(open, 0)}`
  yield deeper.length === 0 ? '  ]' : '  ],'
  if (deeper.length > 0) yield '  "deeper": ['
  for (const [index, { hop, depth, parent }] of deeper.entries()) {
    const after = JSON.stringify(parent?.record.decisionId)
    const end = index === deeper.length - 1 ? '' : ','
    yield `    {"depth": ${depth}, "after": ${after}, ${toMembers(hop)}}${end}`
  }
  if (deeper.length > 0) yield '  ]'
  yield '}'
}

/** Closes the open hops below a depth. */
function close(open: number, depth: number): string {
  return `${indent(depth)}${']}'.repeat(open - depth)}`
}

function toMembers({ record, standing, isDetached }: Hop): string {
  return JSON.stringify({ record, standing, isDetached }).slice(1, -1)
}

function indent(depth: number): string {
  return ' '.repeat(4 + 2 * depth)
}
