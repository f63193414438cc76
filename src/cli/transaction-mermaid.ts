import { decidingPolicies, type Hop, type Transaction } from '../review/transaction.ts'
import { calleeOf, decisionOf, userOf, wantedOf } from './transaction-text.ts'

type Drawing = { readonly nodes: string[]; readonly edges: string[]; readonly styles: string[] }

const strokes = { allow: '#2e7d32', observed: '#b26a00', deny: '#c62828' } as const

/** A transaction as a Mermaid flowchart, such as Markdown pages show. */
export function toMermaid(transaction: Transaction): string {
  const drawing: Drawing = { nodes: [], edges: [], styles: [] }
  drawing.nodes.push(`  n0(["${toText(userOf(transaction))}"])`)
  for (const hop of transaction.hops) draw(hop, 'n0', drawing)
  return ['flowchart LR', ...drawing.nodes, ...drawing.edges, ...drawing.styles].join('\n')
}

function draw(hop: Hop, from: string, drawing: Drawing): void {
  const id = `n${drawing.nodes.length}`
  const edge = drawing.edges.length
  const label = [decisionOf(hop), ...decidingPolicies(hop.record), hop.record.time].map(toText).join('<br>')
  drawing.nodes.push(`  ${id}["${toText(calleeOf(hop))}<br>${toText(wantedOf(hop))}"]`)
  drawing.edges.push(`  ${from} ${hop.isDetached ? '-.->' : '-->'}|"${label}"| ${id}`)
  drawing.styles.push(`  linkStyle ${edge} stroke:${strokes[hop.record.outcome]}`)
  for (const next of hop.next) draw(next, id, drawing)
}

/** What a request or a token brought must be text to whoever renders this, and nothing else. */
function toText(text: string): string {
  return text.replace(/[^\p{L}\p{N} ./:,()@_-]/gu, (character) => `#${character.codePointAt(0)};`)
}
