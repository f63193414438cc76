import { staticTable } from './static-table.ts'

/** The encoded size update to 0. A peer that shrinks its table must receive it (RFC 7541 §4.2). */
export const emptyTable: Buffer = Buffer.from([0x20])

/**
 * Encodes a header block without dynamic table and Huffman coding, so that every connection can get the same bytes. Names
 * and values are ASCII.
 */
export function encodeHeaderBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => encodeField(name, value)))
}

function encodeField(name: string, value: string): readonly Buffer[] {
  const whole = staticTable.findIndex(([known, knownValue]) => known === name && knownValue === value)
  if (whole >= 0) return [encodeInteger(0x80, 7, whole + 1)]
  const index = staticTable.findIndex(([known]) => known === name) + 1
  return [encodeInteger(0, 4, index), ...(index === 0 ? encodeString(name) : []), ...encodeString(value)]
}

function encodeString(text: string): readonly Buffer[] {
  return [encodeInteger(0, 7, text.length), Buffer.from(text, 'latin1')]
}

/** RFC 7541 §5.1. */
function encodeInteger(pattern: number, prefixBits: number, value: number): Buffer {
  const mask = (1 << prefixBits) - 1
  if (value < mask) return Buffer.from([pattern | value])
  const bytes = [pattern | mask]
  let rest = value - mask
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}
