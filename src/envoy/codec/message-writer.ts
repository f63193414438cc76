/** A protobuf message that is written backwards, because a field's length precedes it and is known only afterwards. */
export type Writer = {
  bytes: Buffer
  /** The start and the end of the written bytes. */
  at: number
  end: number
}

/** Small, so that a retained answer keeps little other memory alive. */
const slabBytes = 16 * 1024
/** A call out of JavaScript costs as much as this many characters. */
const shortText = 64
const maxHeadBytes = 10
const bytesType = 2

/** Messages share a buffer, one before the other. No byte of it is written twice. */
let idle: Writer | undefined

/** Encodes one message. */
export function encodeMessage(write: (writer: Writer) => void): Buffer {
  const writer = idle ?? { bytes: Buffer.allocUnsafeSlow(slabBytes), at: slabBytes, end: slabBytes }
  // A message that is encoded meanwhile gets its own buffer. A failed one leaves its buffer unused.
  idle = undefined
  writer.end = writer.at
  write(writer)
  idle = writer
  return writer.bytes.subarray(writer.at, writer.end)
}

/** Returns the number of written bytes; `writeHead` needs the number from before its field. */
export function written(writer: Writer): number {
  return writer.end - writer.at
}

/** Writes an unsigned number of at most 32 bits, an enum or a bool. */
export function writeVarint(writer: Writer, number: number, value: number): void {
  reserve(writer, maxHeadBytes)
  putVarint(writer, value)
  putVarint(writer, number << 3)
}

/** Writes a string. Lone surrogates become U+FFFD, because Envoy refuses the whole message if one string is not UTF-8. */
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

/** Writes encoded fields. */
export function writeEncoded(writer: Writer, fields: Uint8Array): void {
  reserve(writer, fields.length)
  writer.at -= fields.length
  writer.bytes.set(fields, writer.at)
}

/** Overwrites written bytes with ASCII text that ends `bytesAfter` before the end. */
export function overwriteAscii(writer: Writer, bytesAfter: number, text: string): void {
  const start = writer.end - bytesAfter - text.length
  for (let index = 0; index < text.length; index++) writer.bytes[start + index] = text.charCodeAt(index)
}

/** Turns everything written since `before` into one field: a string or an embedded message. */
export function writeHead(writer: Writer, number: number, before: number): void {
  reserve(writer, maxHeadBytes)
  putVarint(writer, written(writer) - before)
  putVarint(writer, (number << 3) | bytesType)
}

/** Returns true if the text was ASCII; otherwise nothing is written. */
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

/** Makes room before the written bytes. If the buffer is full, they move to a new one. */
function reserve(writer: Writer, room: number): void {
  if (writer.at >= room) return
  const size = written(writer)
  const bytes = Buffer.allocUnsafeSlow(Math.max(slabBytes, 2 * (size + room)))
  writer.bytes.copy(bytes, bytes.length - size, writer.at, writer.end)
  writer.bytes = bytes
  writer.at = bytes.length - size
  writer.end = bytes.length
}
