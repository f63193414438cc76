import { decidingPolicies, type Hop, type Transaction, visitHops } from '../explain/transaction.ts'
import { calleeOf, decisionOf, userOf, wantedOf } from './transaction-text.ts'

const strokes = { allow: '#2e7d32', observed: '#b26a00', deny: '#c62828' } as const

/** Formats a transaction as a Mermaid flowchart for Markdown, line by line. */
export function* formatMermaid(transaction: Transaction): Generator<string> {
  yield 'flowchart LR'
  yield `  n0(["${toText(userOf(transaction))}"])`
  const ids = new Map<Hop | undefined, string>([[undefined, 'n0']])
  for (const { hop } of visitHops(transaction)) {
    const id = `n${ids.size}`
    ids.set(hop, id)
    yield `  ${id}["${toText(calleeOf(hop))}<br>${toText(wantedOf(hop))}"]`
  }
  for (const { hop, parent } of visitHops(transaction)) {
    const label = [decisionOf(hop), ...decidingPolicies(hop.record), hop.record.time].map(toText).join('<br>')
    yield `  ${ids.get(parent)} ${hop.isDetached ? '-.->' : '-->'}|"${label}"| ${ids.get(hop)}`
  }
  let edge = 0
  for (const { hop } of visitHops(transaction)) {
    yield `  linkStyle ${edge++} stroke:${strokes[hop.record.outcome]}`
  }
}

/** Escapes text from a request or a token, so that the renderer shows it as plain text. */
function toText(text: string): string {
  return text.replace(/[^\p{L}\p{N} ./:,()@_-]/gu, (character) => `#${character.codePointAt(0)};`)
}
