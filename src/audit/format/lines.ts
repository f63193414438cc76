/** One line of a log without newline. `isEnded` is false if the file ends without a newline. */
export type RawLine = {
  readonly file: string
  readonly line: number
  readonly bytes: Buffer
  readonly isEnded: boolean
}

const newline = 0x0a
/** The read size for files. */
export const highWaterMark: number = 1 << 18
const maxLineBytes = 4 * 1024 * 1024

/** Splits at `\n` only, because records of other programs can contain other separators. */
export class LineSplitter {
  readonly #file: string
  #line = 0
  #pieces: Buffer[] = []
  #restBytes = 0

  constructor(file: string) {
    this.#file = file
  }

  /** Returns the lines that end in this chunk. Their bytes are views into it. */
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
    // No Waywarden writes lines this long. The line is cut here, so it fails to parse and is reported.
    if (this.#restBytes < maxLineBytes) this.#pieces.push(chunk.subarray(start))
    this.#restBytes += chunk.length - start
    return lines
  }

  /** The number of bytes after the last newline. */
  get restBytes(): number {
    return this.#restBytes
  }

  /** The bytes after the last newline, cut after 4 MiB. */
  rest(): RawLine {
    return { file: this.#file, line: this.#line + 1, bytes: Buffer.concat(this.#pieces), isEnded: false }
  }
}

/** Yields the lines of a stream in batches, because awaiting each line costs more than reading it. */
export async function* splitLines(
  file: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<readonly RawLine[]> {
  const splitter = new LineSplitter(file)
  for await (const chunk of chunks) yield splitter.push(chunk)
  const rest = splitter.rest()
  if (!isBlank(rest.bytes)) yield [rest]
}

/** A log on a full disk writes blank lines to probe for free space. */
function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x0d) return false
  return true
}
