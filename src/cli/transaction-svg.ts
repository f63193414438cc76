import { decidingPolicies, type Hop, type Transaction, visitHops } from '../review/transaction.ts'
import { calleeOf, decisionOf, depthOf, maxDrawnDepth, userOf, wantedOf } from './transaction-text.ts'

type Placed = { readonly x: number; readonly y: number }
/** A hop at its place, the one from which it follows at its own, and how deep it is. */
type Drawn = { readonly hop: Hop; readonly from: Placed; readonly to: Placed; readonly depth: number }
type Layout = { readonly drawn: readonly Drawn[]; readonly rows: number; readonly columns: number }

const column = 430
const row = 110
const box = { width: 240, height: 62 }
const margin = 24
const maxText = 34
const user: Placed = { x: margin, y: margin }
const strokes = { allow: '#2e7d32', observed: '#b26a00', deny: '#c62828' } as const

/** A transaction as a picture that needs nothing else, line by line: the user on the left, each hop one column further. */
export function* formatSvg(transaction: Transaction): Generator<string> {
  const { drawn, rows, columns } = layOut(transaction)
  const width = columns * column - (column - box.width) + 2 * margin
  const height = Math.max(1, rows) * row - (row - box.height) + 2 * margin
  yield `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">`
  yield `<title>${toText(`transaction ${transaction.txn}`)}</title>`
  yield '<rect width="100%" height="100%" fill="#ffffff"/>'
  for (const each of drawn) {
    const color = strokes[each.hop.record.outcome]
    yield* drawEdge(each, color)
    yield* drawBox(each.to, color, [calleeOf(each.hop), `${depthOf(each)}${wantedOf(each.hop)}`])
  }
  yield* drawBox(user, '#37474f', [userOf(transaction), `txn ${transaction.txn}`])
  yield '</svg>'
}

/** The first hop that follows stands beside its predecessor, each other in a row of its own; so do all below the last column. */
function layOut(transaction: Transaction): Layout {
  const places = new Map<Hop | undefined, Placed>([[undefined, user]])
  const drawn: Drawn[] = []
  let [rows, columns] = [0, 1]
  for (const { hop, parent, depth } of visitHops(transaction)) {
    const from = places.get(parent) ?? user
    const at = Math.min(depth, maxDrawnDepth) + 1
    const to = { x: margin + at * column, y: margin + rows * row }
    // What is deeper has the column of its predecessor, and so the row below.
    if (depth >= maxDrawnDepth || hop.next.length === 0) rows++
    places.set(hop, to)
    drawn.push({ hop, from, to, depth })
    columns = Math.max(columns, at + 1)
  }
  return { drawn, rows, columns }
}

function drawEdge({ hop, from, to }: Drawn, color: string): readonly string[] {
  // Within the last column an edge goes down on the left.
  const isBelow = from.x === to.x
  const [startX, startY] = [from.x + (isBelow ? 0 : box.width), from.y + box.height / 2]
  const [endX, endY] = [to.x, to.y + box.height / 2]
  const middle = isBelow ? startX - margin : (startX + endX) / 2
  const dashes = hop.isDetached ? ' stroke-dasharray="6 4"' : ''
  const [policy = 'no policy', ...more] = decidingPolicies(hop.record)
  const texts = [decisionOf(hop), more.length > 0 ? `${policy} +${more.length}` : policy, hop.record.time]
  return [
    `<path d="M${startX} ${startY} C${middle} ${startY} ${middle} ${endY} ${endX} ${endY}" fill="none" stroke="${color}" stroke-width="2"${dashes}/>`,
    ...texts.map((text, index) => {
      const y = endY - 8 + index * 15 + (index > 0 ? 8 : 0)
      return drawText(text, endX - 8, y, index === 0 ? color : '#546e7a', ' text-anchor="end" font-size="11"')
    }),
  ]
}

function drawBox(
  { x, y }: Placed,
  color: string,
  [name = '', detail = '']: readonly string[],
): readonly string[] {
  return [
    `<rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="6" fill="#fafafa" stroke="${color}" stroke-width="2"/>`,
    drawText(name, x + 12, y + 25, '#212121', ' font-weight="bold"'),
    drawText(detail, x + 12, y + 46, '#546e7a', ' font-size="11"'),
  ]
}

function drawText(text: string, x: number, y: number, color: string, more: string): string {
  const shown = text.length > maxText ? `${text.slice(0, maxText - 1)}…` : text
  return `<text x="${x}" y="${y}" fill="${color}"${more}><title>${toText(text)}</title>${toText(shown)}</text>`
}

/** Whatever a request brought is text; XML has no way to write control characters at all. */
function toText(text: string): string {
  const visible = text.replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '\ufffd')
  return visible.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
