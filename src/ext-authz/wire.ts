import { isUtf8 } from 'node:buffer'
import protobuf from 'protobufjs/minimal.js'
import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'

/** One value on the wire: a varint (`Infinity` when it exceeds 32 bits), bytes, or `undefined` for a fixed-width number that we never read. */
export type WireValue = number | Uint8Array | undefined

/** A protobuf message, not yet typed: every value by field number, in the order received. */
export type WireMessage = ReadonlyMap<number, readonly WireValue[]>

/** Writes the fields of one message. */
export type Writer = protobuf.Writer

/**
 * Splits the bytes of one message into fields; fields of fields stay bytes. Groups are refused: proto3 has none, and
 * they are the one thing whose end can only be found by recursion.
 */
export function parseMessage(bytes: Uint8Array): WireMessage | Invalid {
  const fields = new Map<number, WireValue[]>()
  const reader = protobuf.Reader.create(bytes)
  while (reader.pos < reader.len) {
    const field = nextField(reader)
    if (isInvalid(field)) return field
    const values = fields.get(field.number)
    if (values === undefined) fields.set(field.number, [field.value])
    else values.push(field.value)
  }
  return fields
}

/** Decodes UTF-8 strictly: `undefined` rather than a replacement character, under which different bytes would look the same. */
export function parseUtf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? toLossyText(bytes) : undefined
}

/** Decodes UTF-8 with U+FFFD for what is none. */
export function toLossyText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** Encodes one message. */
export function encodeMessage(write: (writer: Writer) => void): Uint8Array {
  const writer = protobuf.Writer.create()
  write(writer)
  return writer.finish()
}

/** Writes an unsigned number, an enum or a bool. */
export function writeVarint(writer: Writer, number: number, value: number): void {
  writer.uint32((number << 3) | varintType).uint32(value)
}

/** Writes a string; lone surrogates become U+FFFD, since Envoy refuses a whole message for one string that is not UTF-8. */
export function writeText(writer: Writer, number: number, text: string): void {
  writer.uint32((number << 3) | bytesType).bytes(Buffer.from(text, 'utf8'))
}

/** Writes a message within a message. */
export function writeMessage(writer: Writer, number: number, write: (writer: Writer) => void): void {
  writer.uint32((number << 3) | bytesType).fork()
  write(writer)
  writer.ldelim()
}

const varintType = 0
const fixed64Type = 1
const bytesType = 2
const fixed32Type = 5
const maxVarintBytes = 10
const maxVarint32Bytes = 5

function nextField(
  reader: protobuf.Reader,
): { readonly number: number; readonly value: WireValue } | Invalid {
  try {
    const tag = readVarint(reader)
    const number = tag >>> 3
    if (!Number.isFinite(tag) || number === 0) return invalid('expected a field number of 29 bits')
    switch (tag & 7) {
      case varintType:
        return { number, value: readVarint(reader) }
      case bytesType:
        return { number, value: reader.bytes() }
      case fixed64Type:
        reader.skip(8)
        return { number, value: undefined }
      case fixed32Type:
        reader.skip(4)
        return { number, value: undefined }
      default:
        return invalid(`field ${number}: expected wire type 0, 1, 2 or 5, found ${tag & 7}`)
    }
  } catch {
    // The reader says only by exception that a length or a varint goes on beyond the end.
    return invalid(`expected a whole field, found the end of the message at byte ${reader.len}`)
  }
}

function readVarint(reader: protobuf.Reader): number {
  const start = reader.pos
  reader.skip()
  const end = reader.pos
  if (end - start > maxVarintBytes) throw new RangeError('expected a varint of at most 10 bytes')
  if (end - start > maxVarint32Bytes) return Number.POSITIVE_INFINITY
  // `uint32` misplaces the end of a varint of six to nine bytes, so it sees only those that fit.
  reader.pos = start
  const value = reader.uint32()
  reader.pos = end
  return value
}
