import type { Entry } from './entry.ts'

const flushMs = 100
const flushBytes = 64 * 1024
const maxBytes = 4 * 1024 * 1024

/** Records that wait in memory for up to 100 ms, to be written together. */
export class WriteBuffer implements Disposable {
  readonly #write: (entries: readonly Entry[]) => void
  readonly #flushing: NodeJS.Timeout
  #entries: Entry[] = []
  #bytes = 0

  /** `write` writes all entries or throws. */
  constructor(write: (entries: readonly Entry[]) => void) {
    this.#write = write
    this.#flushing = setInterval(() => this.tryFlush(), flushMs).unref()
  }

  /**
   * Adds an entry. During an outage, entries that are `sure` (denials) are buffered up to a limit; all others are tried
   * at once.
   */
  add(entry: Entry, bytes: number, isOutage: boolean, isSure: boolean): void {
    if (this.#bytes + bytes > maxBytes || (isOutage && !isSure)) this.#flush()
    this.#entries.push(entry)
    this.#bytes += bytes
    if (this.#bytes >= flushBytes && !isOutage) this.tryFlush()
  }

  /**
   * Writes the waiting entries. A failure is reported once for each outage, and retried with the next entry and at the
   * next interval.
   */
  tryFlush(): void {
    try {
      this.#flush()
    } catch {
      // `write` has reported it.
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#flushing)
    this.tryFlush()
  }

  #flush(): void {
    if (this.#entries.length === 0) return
    this.#write(this.#entries)
    this.#entries = []
    this.#bytes = 0
  }
}
