/**
 * A protobuf message that is being written, from its end to its start: before a field stands its length, which is known
 * only when the field is written.
 */
export type Writer = {
  bytes: Buffer
  /** Where what is written so far begins, and where it ends. */
  at: number
  end: number
}

/** Small enough that an answer which somebody holds on to keeps little else alive. */
const slabBytes = 16 * 1024
/** A call out of JavaScript costs as much as this many characters. */
const shortText = 64
const maxHeadBytes = 10
const bytesType = 2

/** Messages share a buffer, one before the other; no byte of it is written twice. */
let idle: Writer | undefined

/** Encodes one message. */
export function encodeMessage(write: (writer: Writer) => void): Buffer {
  const writer = idle ?? { bytes: Buffer.allocUnsafeSlow(slabBytes), at: slabBytes, end: slabBytes }
  // A message that is encoded meanwhile has a buffer of its own, and one that fails leaves its own behind.
  idle = undefined
  writer.end = writer.at
  write(writer)
  idle = writer
  return writer.bytes.subarray(writer.at, writer.end)
}

/** How much is written so far: what `writeHead` has to know of the moment before its field. */
export function written(writer: Writer): number {
  return writer.end - writer.at
}

/** Writes an unsigned number of at most 32 bits, an enum or a bool. */
export function writeVarint(writer: Writer, number: number, value: number): void {
  reserve(writer, maxHeadBytes)
  putVarint(writer, value)
  putVarint(writer, number << 3)
}

/** Writes a string; lone surrogates become U+FFFD, since Envoy refuses a whole message for one string that is not UTF-8. */
export function writeText(writer: Writer, number: number, text: string): void {
  const before = written(writer)
  if (text.length > shortText || !putAscii(writer, text)) {
    const length = Buffer.byteLength(text)
    reserve(writer, length)
    writer.at -= length
    writer.bytes.write(text, writer.at, 'utf8')
  }
  writeHead(writer, number, before)
}

/** Writes fields that are encoded already. */
export function writeEncoded(writer: Writer, fields: Uint8Array): void {
  reserve(writer, fields.length)
  writer.at -= fields.length
  writer.bytes.set(fields, writer.at)
}

/** Writes ASCII text over what is written already, up to so many bytes before its end. */
export function overwriteAscii(writer: Writer, bytesAfter: number, text: string): void {
  const start = writer.end - bytesAfter - text.length
  for (let index = 0; index < text.length; index++) writer.bytes[start + index] = text.charCodeAt(index)
}

/** Makes one field of all that was written since `before`: a string, or a message within a message. */
export function writeHead(writer: Writer, number: number, before: number): void {
  reserve(writer, maxHeadBytes)
  putVarint(writer, written(writer) - before)
  putVarint(writer, (number << 3) | bytesType)
}

/** Whether the text was ASCII; else nothing is written. */
function putAscii(writer: Writer, text: string): boolean {
  reserve(writer, text.length)
  const { bytes } = writer
  let at = writer.at
  for (let index = text.length - 1; index >= 0; index--) {
    const code = text.charCodeAt(index)
    if (code >= 0x80) return false
    bytes[--at] = code
  }
  writer.at = at
  return true
}

function putVarint(writer: Writer, value: number): void {
  const { bytes } = writer
  let at = writer.at - varintBytes(value)
  writer.at = at
  let rest = value
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at] = rest
}

function varintBytes(value: number): number {
  let count = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) count++
  return count
}

/** Makes room before what is written; in another buffer when this one is full, and then what is written moves there. */
function reserve(writer: Writer, room: number): void {
  if (writer.at >= room) return
  const size = written(writer)
  const bytes = Buffer.allocUnsafeSlow(Math.max(slabBytes, 2 * (size + room)))
  writer.bytes.copy(bytes, bytes.length - size, writer.at, writer.end)
  writer.bytes = bytes
  writer.at = bytes.length - size
  writer.end = bytes.length
}
