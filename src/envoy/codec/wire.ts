import { isUtf8 } from 'node:buffer'

/**
 * Walks the fields of one message where they lie, copying nothing; `nextField` steps. Fields of fields stay bytes until
 * they are walked in their turn.
 */
export type Fields = {
  readonly bytes: Buffer
  at: number
  readonly end: number
  /** The field found last, and its wire type. */
  number: number
  wireType: number
  /** A varint's value, rounded beyond 53 bits. */
  value: number
  /** Where a length-delimited field begins and ends. */
  start: number
  stop: number
  /** Why the walk ended before the message did. */
  fault: string | undefined
}

export const varintType = 0
export const fixed64Type = 1
export const bytesType = 2
export const fixed32Type = 5

/** Begins at the start of a message. */
export function fieldsOf(bytes: Buffer, start: number, end: number): Fields {
  return { bytes, at: start, end, number: 0, wireType: 0, value: 0, start: 0, stop: 0, fault: undefined }
}

/**
 * Steps to the next field; false at the end of the message or at a fault. Groups are refused: proto3 has none, and they
 * are the one thing whose end can only be found by recursion.
 */
export function nextField(fields: Fields): boolean {
  if (fields.at >= fields.end) return false
  const tag = readVarint(fields, maxVarint32Bytes)
  if (tag < 8 || tag > maxUint32) return fail(fields, 'expected a field number of 29 bits')
  fields.number = tag >>> 3
  fields.wireType = tag & 7
  switch (fields.wireType) {
    case varintType:
      fields.value = readVarint(fields, maxVarintBytes)
      return fields.value === broken ? fail(fields, 'expected a whole varint of at most 64 bits') : true
    case bytesType: {
      const length = readVarint(fields, maxVarint32Bytes)
      return length === broken ? fail(fields, 'expected the length of a field') : skip(fields, length)
    }
    case fixed64Type:
      return skip(fields, 8)
    case fixed32Type:
      return skip(fields, 4)
    default:
      return fail(fields, `field ${fields.number}: expected wire type 0, 1, 2 or 5, found ${fields.wireType}`)
  }
}

/**
 * Whether bytes are UTF-8, strictly: a replacement character would make different bytes look the same. Short text is
 * looked at here, for a call out of JavaScript costs as much as a hundred bytes.
 */
export function isText(bytes: Buffer, start: number, stop: number): boolean {
  if (stop - start > longText) return isUtf8(bytes.subarray(start, stop))
  for (let at = start; at < stop; at++) {
    if ((bytes[at] ?? 0) >= 0x80) return isUtf8(bytes.subarray(at, stop))
  }
  return true
}

/** Decodes UTF-8, with U+FFFD for what is none. */
export function toText(bytes: Buffer, start: number, stop: number): string {
  return start === stop ? '' : bytes.toString('utf8', start, stop)
}

const maxVarintBytes = 10
const maxVarint32Bytes = 5
const maxUint32 = 0xff_ff_ff_ff
/** No varint: its end is missing, or it is longer than it may be. */
const broken = -1
const longText = 96

/** Of at most five bytes for tags and lengths, as Envoy's own reader has it. */
function readVarint(fields: Fields, maxBytes: number): number {
  const { bytes, end } = fields
  const first = fields.at < end ? (bytes[fields.at] ?? 0) : 0x80
  if (first < 0x80) {
    fields.at++
    return first
  }
  let value = 0
  let scale = 1
  for (let count = 1; fields.at < end; count++) {
    const byte = bytes[fields.at++] ?? 0
    // A tenth byte has room for one bit.
    if (count > maxBytes || (count === maxVarintBytes && byte > 1)) return broken
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
    scale *= 0x80
  }
  return broken
}

function skip(fields: Fields, length: number): boolean {
  fields.start = fields.at
  fields.stop = fields.at + length
  fields.at = fields.stop
  return fields.stop <= fields.end
    ? true
    : fail(fields, 'expected a whole field, found the end of the message')
}

function fail(fields: Fields, fault: string): false {
  fields.fault = `${fault}, at byte ${fields.at}`
  return false
}
