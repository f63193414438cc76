/** One line of a log, newline excluded; `isEnded` is false when the file ends without one. */
export type RawLine = {
  readonly file: string
  readonly line: number
  readonly bytes: Buffer
  readonly isEnded: boolean
}

const newline = 0x0a
/** How much of a file is read at once. */
export const highWaterMark: number = 1 << 18
const maxLineBytes = 4 * 1024 * 1024

/** Splits at `\n` alone, because other separators can stand inside a record that another program has written. */
export class LineSplitter {
  readonly #file: string
  #line = 0
  #pieces: Buffer[] = []
  #restBytes = 0

  constructor(file: string) {
    this.#file = file
  }

  /** The lines that end in this chunk. Their bytes are a view into it. */
  push(chunk: Buffer): readonly RawLine[] {
    const lines: RawLine[] = []
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#line++
      const rest = chunk.subarray(start, end)
      const bytes = this.#pieces.length === 0 ? rest : Buffer.concat([...this.#pieces, rest])
      if (!isBlank(bytes)) lines.push({ file: this.#file, line: this.#line, bytes, isEnded: true })
      start = end + 1
      this.#pieces = []
      this.#restBytes = 0
    }
    // No writer of ours makes lines this long. The line is cut here, so it fails to parse and is reported.
    if (this.#restBytes < maxLineBytes) this.#pieces.push(chunk.subarray(start))
    this.#restBytes += chunk.length - start
    return lines
  }

  /** How many bytes follow the last newline. */
  get restBytes(): number {
    return this.#restBytes
  }

  /** What follows the last newline; cut after 4 MiB. */
  rest(): RawLine {
    return { file: this.#file, line: this.#line + 1, bytes: Buffer.concat(this.#pieces), isEnded: false }
  }
}

/** The lines of a stream, in batches: to wait for each line costs more than to read it. */
export async function* splitLines(
  file: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<readonly RawLine[]> {
  const splitter = new LineSplitter(file)
  for await (const chunk of chunks) yield splitter.push(chunk)
  const rest = splitter.rest()
  if (!isBlank(rest.bytes)) yield [rest]
}

/** A log that ran out of disk writes blank lines to find out when there is room again. */
function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x0d) return false
  return true
}
