import { type HeaderField, toHeaderField } from './header-field.ts'
import { decodeHuffman } from './huffman.ts'
import { addField, createHpackTable, fieldAt, type HpackTable, resizeTable } from './table.ts'

/** Decodes the header blocks of one connection, in order. */
export type HpackDecoder = {
  readonly table: HpackTable
  /** The position in the current block; -1 after a syntax error. */
  at: number
}

/** The result of a block: its fields, `too_large` (the table is still in step), or `undefined` for a syntax error. */
export type HeaderBlock = readonly HeaderField[] | 'too_large' | undefined

/** Limits for one decoded block. */
export type HeaderLimits = { readonly maxHeaderListBytes: number; readonly maxHeaderFields: number }

/** The maximum number of table size updates in a block; RFC 7541 §4.2 needs two. */
const maxResizes = 2

/** Creates a decoder for a new connection. */
export function createHpackDecoder(tableBytes: number): HpackDecoder {
  return { table: createHpackTable(tableBytes), at: 0 }
}

/** Decodes one complete block. A list with too many bytes or fields is decoded to its end and dropped. */
export function decodeHeaderBlock(
  decoder: HpackDecoder,
  bytes: Buffer,
  start: number,
  end: number,
  { maxHeaderListBytes, maxHeaderFields }: HeaderLimits,
): HeaderBlock {
  decoder.at = start
  if (!readResizes(decoder, bytes, end)) return undefined
  const fields: HeaderField[] = []
  let listBytes = 0
  let count = 0
  while (decoder.at < end) {
    const field = readField(decoder, bytes, end)
    if (field === undefined) return undefined
    listBytes += field.bytes
    count++
    if (listBytes <= maxHeaderListBytes && count <= maxHeaderFields) fields.push(field)
  }
  return fields.length === count ? fields : 'too_large'
}

function readResizes(decoder: HpackDecoder, bytes: Buffer, end: number): boolean {
  for (let resizes = 0; decoder.at < end && isResize(bytes[decoder.at]); resizes++) {
    const size = readInteger(decoder, bytes, end, 5)
    if (resizes === maxResizes || size < 0 || !resizeTable(decoder.table, size)) return false
  }
  return true
}

function isResize(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xe0) === 0x20
}

function readField(decoder: HpackDecoder, bytes: Buffer, end: number): HeaderField | undefined {
  const byte = bytes[decoder.at] ?? 0
  if ((byte & 0x80) !== 0) return fieldAt(decoder.table, readInteger(decoder, bytes, end, 7))
  if (isResize(byte)) return undefined
  const isKept = (byte & 0x40) !== 0
  const index = readInteger(decoder, bytes, end, isKept ? 6 : 4)
  if (index < 0) return undefined
  const name = index === 0 ? readString(decoder, bytes, end) : fieldAt(decoder.table, index)?.name
  const value = readString(decoder, bytes, end)
  if (name === undefined || value === undefined) return undefined
  const field = toHeaderField(name, value)
  if (isKept) addField(decoder.table, field)
  return field
}

/** RFC 7541 §5.1; -1 if it is cut off or above 28 bits, which no valid value needs. */
function readInteger(decoder: HpackDecoder, bytes: Buffer, end: number, prefixBits: number): number {
  const mask = (1 << prefixBits) - 1
  let value = (bytes[decoder.at++] ?? 0) & mask
  if (value < mask) return value
  for (let shift = 0; shift < 28 && decoder.at < end; shift += 7) {
    const byte = bytes[decoder.at++] ?? 0
    value += (byte & 0x7f) << shift
    if ((byte & 0x80) === 0) return value
  }
  return -1
}

/** RFC 7541 §5.2. */
function readString(decoder: HpackDecoder, bytes: Buffer, end: number): string | undefined {
  if (decoder.at >= end) return undefined
  const isHuffman = ((bytes[decoder.at] ?? 0) & 0x80) !== 0
  const length = readInteger(decoder, bytes, end, 7)
  if (length < 0 || length > end - decoder.at) return undefined
  const start = decoder.at
  decoder.at += length
  return isHuffman ? decodeHuffman(bytes, start, decoder.at) : bytes.toString('latin1', start, decoder.at)
}
