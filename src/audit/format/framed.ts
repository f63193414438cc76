// A framed line is one buffer: the zero byte of a Merkle leaf (RFC 6962 §2.1), the text, the newline.

/** Frames a text of one line, newline included. */
export function frameLine(line: string): Buffer {
  return Buffer.from(`\0${line}`)
}

/** The bytes to write to the file. */
export function toFileBytes(lines: readonly Buffer[]): Buffer {
  const [only] = lines
  if (only !== undefined && lines.length === 1) return only.subarray(1)
  return Buffer.concat(lines.map((line) => line.subarray(1)))
}

/** The bytes to hash. */
export function toLeafBytes(line: Buffer): Buffer {
  return line.subarray(0, -1)
}
