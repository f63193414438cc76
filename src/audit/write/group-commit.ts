import type { Line } from '../log/segment.ts'

type Waiter = {
  readonly line: Line
  readonly resolve: () => void
  readonly reject: (cause: unknown) => void
}

/** The group commit's view of the log. */
export type GroupCommitOptions = {
  readonly fd: () => number
  readonly sync: (fd: number) => Promise<void>
  /** Writes lines again to another file, because a failed sync may have lost their pages for good (fsync(2)). */
  readonly rewrite: (lines: readonly Line[]) => void
  /** The maximum number of waiting lines; more are refused, because the disk does not keep up. */
  readonly maxWaiting: number
}

/** Makes lines durable. Lines that arrive during a sync share the next one. */
export class GroupCommit implements AsyncDisposable {
  readonly #options: GroupCommitOptions
  #waiting: Waiter[] = []
  #running: Promise<void> | undefined
  #hasLost = false

  constructor(options: GroupCommitOptions) {
    this.#options = options
  }

  /** Resolves when the written line is on disk; rejects if that fails. */
  wait(line: Line): Promise<void> {
    if (this.#waiting.length >= this.#options.maxWaiting) {
      return Promise.reject(new RangeError(`${this.#waiting.length} records wait for the disk`))
    }
    const done = new Promise<void>((resolve, reject) => this.#waiting.push({ line, resolve, reject }))
    this.#running ??= this.#run()
    return done
  }

  /** The abandoned file could not be synced, so all waiting lines are written again. */
  lose(): void {
    this.#hasLost = true
  }

  /** Tests whether a sync succeeds now. */
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
    // One turn of the event loop gathers lines that arrived together; a running sync gathers the rest.
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
