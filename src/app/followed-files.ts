import { stat } from 'node:fs/promises'
import { StartError } from './opening.ts'

/** What cannot be used, problem by problem. */
export type Refusal = { readonly kind: 'refusal'; readonly problems: readonly string[] }

export type FollowOptions<T> = {
  readonly paths: readonly string[]
  /** Reads all paths as one value, or says everything that is wrong with them. */
  readonly read: () => Promise<T | Refusal>
  readonly pollMs: number
  readonly onRead: (value: T) => void
  readonly onRefused: (problems: readonly string[]) => void
}

/** Reads files that must be good to begin with, and follows them; throws a `StartError`. */
export async function followFiles<T extends object>(options: FollowOptions<T>): Promise<FollowedFiles<T>> {
  // Before reading: if a file changes meanwhile, the next look sees another identity and reads again.
  const identity = await identify(options.paths)
  const value = await options.read()
  if (isRefusal(value)) throw new StartError(value.problems)
  options.onRead(value)
  return new FollowedFiles(options, identity, value)
}

/** Files that are read again whenever one changes; what was last good stays in force. */
export class FollowedFiles<T extends object> implements AsyncDisposable {
  readonly #options: FollowOptions<T>
  readonly #timer: NodeJS.Timeout
  #identity: string
  #current: T
  #problems: readonly string[] = []
  #refreshing: Promise<void> = Promise.resolve()

  constructor(options: FollowOptions<T>, identity: string, value: T) {
    this.#options = options
    this.#identity = identity
    this.#current = value
    this.#timer = setInterval(() => void this.refresh(), options.pollMs).unref()
  }

  /** What the files said when they were last good. */
  get current(): T {
    return this.#current
  }

  /** Why the files' present content is not in force; empty when it is. */
  get problems(): readonly string[] {
    return this.#problems
  }

  /** Looks at the files now; one look at a time, so that an older reading never replaces a newer one. */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing.then(() => this.#look())
    return this.#refreshing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#refreshing
  }

  async #look(): Promise<void> {
    const identity = await identify(this.#options.paths)
    if (identity === this.#identity) return
    this.#identity = identity
    const value = await this.#options.read()
    if (isRefusal(value)) {
      this.#problems = value.problems
      this.#options.onRefused(value.problems)
    } else {
      this.#problems = []
      this.#current = value
      this.#options.onRead(value)
    }
  }
}

/** What differs when a file does. Polled, and symbolic links followed: Kubernetes swaps a link to update mounted files. */
async function identify(paths: readonly string[]): Promise<string> {
  const states = paths.map(async (path) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
      return [dev, ino, size, mtimeNs, ctimeNs].join(':')
    } catch {
      return 'unreadable'
    }
  })
  return (await Promise.all(states)).join('|')
}

function isRefusal(value: object): value is Refusal {
  return 'kind' in value && value.kind === 'refusal'
}
