import { decidingPolicies, type Hop, type Transaction } from '../review/transaction.ts'
import { calleeOf, decisionOf, userOf, wantedOf } from './transaction-text.ts'

type Placed = { readonly x: number; readonly y: number }
type Drawing = { readonly shapes: string[]; rows: number; columns: number }

const column = 430
const row = 110
const box = { width: 240, height: 62 }
const margin = 24
const maxText = 34
const strokes = { allow: '#2e7d32', observed: '#b26a00', deny: '#c62828' } as const

/** A transaction as a picture that needs nothing else: the user on the left, each hop one column further. */
export function toSvg(transaction: Transaction): string {
  const drawing: Drawing = { shapes: [], rows: 0, columns: 1 }
  const user = { x: margin, y: margin }
  for (const hop of transaction.hops) draw(hop, user, 1, drawing)
  const width = drawing.columns * column - (column - box.width) + 2 * margin
  const height = Math.max(1, drawing.rows) * row - (row - box.height) + 2 * margin
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13">`,
    `<title>${toText(`transaction ${transaction.txn}`)}</title>`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    ...drawing.shapes,
    ...drawBox(user, '#37474f', [userOf(transaction), `txn ${transaction.txn}`]),
    '</svg>',
  ].join('\n')
}

function draw(hop: Hop, from: Placed, depth: number, drawing: Drawing): void {
  const place = { x: margin + depth * column, y: margin + drawing.rows * row }
  const color = strokes[hop.record.outcome]
  drawing.columns = Math.max(drawing.columns, depth + 1)
  drawing.shapes.push(...drawEdge(hop, from, place, color))
  drawing.shapes.push(...drawBox(place, color, [calleeOf(hop), wantedOf(hop)]))
  if (hop.next.length === 0) drawing.rows++
  for (const next of hop.next) draw(next, place, depth + 1, drawing)
}

function drawEdge(hop: Hop, from: Placed, to: Placed, color: string): readonly string[] {
  const [startX, startY] = [from.x + box.width, from.y + box.height / 2]
  const [endX, endY] = [to.x, to.y + box.height / 2]
  const middle = (startX + endX) / 2
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
