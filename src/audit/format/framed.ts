// A line of the log as one buffer: the zero byte that makes a Merkle leaf of it (RFC 6962 §2.1), its text, its newline.

/** Frames a text of one line, newline included. */
export function frameLine(line: string): Buffer {
  return Buffer.from(`\0${line}`)
}

/** What goes into the file. */
export function toFileBytes(lines: readonly Buffer[]): Buffer {
  const [only] = lines
  if (only !== undefined && lines.length === 1) return only.subarray(1)
  return Buffer.concat(lines.map((line) => line.subarray(1)))
}

/** What is hashed. */
export function toLeafBytes(line: Buffer): Buffer {
  return line.subarray(0, -1)
}
