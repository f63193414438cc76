import type { Line } from '../log/segment.ts'

type Waiter = {
  readonly line: Line
  readonly resolve: () => void
  readonly reject: (cause: unknown) => void
}

/** What a group commit needs of the log it commits. */
export type GroupCommitOptions = {
  readonly fd: () => number
  readonly sync: (fd: number) => Promise<void>
  /** Writes lines once more, to another file: a failed sync may have lost their pages for good (fsync(2)). */
  readonly rewrite: (lines: readonly Line[]) => void
  /** More than so many at once are refused: the disk does not keep up. */
  readonly maxWaiting: number
}

/** Makes lines durable, many by one sync: lines that arrive while a sync runs share the next one. */
export class GroupCommit implements AsyncDisposable {
  readonly #options: GroupCommitOptions
  #waiting: Waiter[] = []
  #running: Promise<void> | undefined
  #hasLost = false

  constructor(options: GroupCommitOptions) {
    this.#options = options
  }

  /** Resolves when the line, which has been written, is on the disk; rejects when it cannot be. */
  wait(line: Line): Promise<void> {
    if (this.#waiting.length >= this.#options.maxWaiting) {
      return Promise.reject(new RangeError(`${this.#waiting.length} records wait for the disk`))
    }
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ line, resolve, reject }))
    this.#running ??= this.#run()
    return done
  }

  /** The file that lines were written to could not be synced when it was left: all that wait are written again. */
  lose(): void {
    this.#hasLost = true
  }

  /** Whether a sync succeeds at the moment. */
  probe(): Promise<boolean> {
    const { fd, sync } = this.#options
    return Promise.resolve()
      .then(() => sync(fd()))
      .then(
        () => true,
        () => false,
      )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    // One turn of the loop gathers what came with it; a sync that runs gathers the rest.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#commit(batch)
        for (const { resolve } of batch) resolve()
      } catch (cause) {
        for (const { reject } of batch) reject(cause)
      }
    }
    this.#running = undefined
  }

  async #commit(batch: readonly Waiter[]): Promise<void> {
    const { fd, sync } = this.#options
    try {
      await sync(fd())
    } catch {
      this.#hasLost = true
    }
    if (!this.#hasLost) return
    this.#options.rewrite([...batch, ...this.#waiting].map(({ line }) => line))
    await sync(fd())
    this.#hasLost = false
  }
}
