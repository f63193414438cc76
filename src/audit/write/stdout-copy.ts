import type { Writable } from 'node:stream'

const maxBufferedBytes = 1024 * 1024
const flushMs = 1000

/**
 * A copy of the log on a stream for another program. The segments are the evidence. If the reader is slow or gone, lines
 * of the copy are lost, which is reported once for each outage, and decisions continue.
 */
export class StdoutCopy implements AsyncDisposable {
  readonly #stream: Writable
  readonly #onLost: (cause: unknown) => void
  readonly #onError = (cause: unknown): void => this.#lose(cause)
  #isLosing = false

  constructor(stream: Writable, onLost: (cause: unknown) => void) {
    this.#stream = stream
    this.#onLost = onLost
    // Without a listener a closed pipe would end the process.
    stream.on('error', this.#onError)
  }

  /** Writes a line without waiting. */
  write(line: Uint8Array): void {
    if (!this.#stream.writable) this.#lose(new RangeError('the stream is closed'))
    else if (this.#stream.writableLength + line.length > maxBufferedBytes) {
      this.#lose(new RangeError('the reader is too slow'))
    } else {
      // Only an empty buffer ends an outage, so that a slow reader is reported once.
      if (this.#stream.writableLength === 0) this.#isLosing = false
      this.#stream.write(line)
    }
  }

  /** Gives the reader some time to read the buffer; the stream stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stream.writable && this.#stream.writableLength > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, flushMs)
        this.#stream.write('', () => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    this.#stream.off('error', this.#onError)
  }

  #lose(cause: unknown): void {
    if (!this.#isLosing) this.#onLost(cause)
    this.#isLosing = true
  }
}
