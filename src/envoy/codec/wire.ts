import { isUtf8 } from 'node:buffer'

/** Walks the fields of one message in place; `nextField` steps. Embedded messages stay bytes until they are walked. */
export type Fields = {
  readonly bytes: Buffer
  at: number
  readonly end: number
  /** The number of the current field, and its wire type. */
  number: number
  wireType: number
  /** A varint's value; rounded above 53 bits. */
  value: number
  /** The range of a length-delimited field. */
  start: number
  stop: number
  /** Why the walk stopped before the end of the message. */
  fault: string | undefined
}

export const varintType = 0
export const fixed64Type = 1
export const bytesType = 2
export const fixed32Type = 5

/** Starts at the beginning of a message. */
export function fieldsOf(bytes: Buffer, start: number, end: number): Fields {
  return { bytes, at: start, end, number: 0, wireType: 0, value: 0, start: 0, stop: 0, fault: undefined }
}

/**
 * Steps to the next field; false at the end of the message or at a fault. Groups are refused: proto3 has none, and
 * finding their end would need recursion.
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
 * True if bytes are strict UTF-8, because replacement characters would make different bytes equal. Short text is checked
 * in JavaScript, because a call out of it costs as much as a hundred bytes.
 */
export function isText(bytes: Buffer, start: number, stop: number): boolean {
  if (stop - start > longText) return isUtf8(bytes.subarray(start, stop))
  for (let at = start; at < stop; at++) {
    if ((bytes[at] ?? 0) >= 0x80) return isUtf8(bytes.subarray(at, stop))
  }
  return true
}

/** Decodes UTF-8, with U+FFFD for invalid bytes. */
export function toText(bytes: Buffer, start: number, stop: number): string {
  return start === stop ? '' : bytes.toString('utf8', start, stop)
}

const maxVarintBytes = 10
const maxVarint32Bytes = 5
const maxUint32 = 0xff_ff_ff_ff
/** Returned for a varint that is cut off or too long. */
const broken = -1
const longText = 96

/** Reads a varint; tags and lengths have at most five bytes, as in Envoy's reader. */
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
    // A tenth byte may hold only one bit.
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
