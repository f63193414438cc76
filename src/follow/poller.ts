import type { FollowedSource, Report } from '../model/event.ts'
import { describeCause } from '../model/fault.ts'

/** What a look at a source found. */
export type Look = {
  /** What failed for a reason outside of the content. The next look tries again, whatever the content is. */
  readonly faults: readonly string[]
  /** What is wrong with the content itself; `unchanged`: the content is the one that was last read, or was not read. */
  readonly refusals: readonly string[] | 'unchanged'
}

/** What an operator should hear of a source. */
export type PollNews =
  /** A look failed, and will be repeated; `isNew` unless the look before it failed for the same reasons. */
  | {
      readonly kind: 'failed'
      readonly problems: readonly string[]
      readonly isFirst: boolean
      readonly isNew: boolean
    }
  /** The first look that did not fail. */
  | { readonly kind: 'recovered' }
  /** The content has something wrong that it had not before. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] }

/** Why what the source says now is not in force, and since when, in milliseconds since the epoch. */
export type Standing = {
  readonly kind: 'failed' | 'refused'
  readonly problems: readonly string[]
  readonly sinceMs: number
}

/** Calls `run` once, later; what it returns takes that back. */
export type Later = (run: () => void, ms: number) => () => void

/** How a source is polled. */
export type PollerOptions = {
  /** Looks at the source and applies what it finds. What it throws is a fault. */
  readonly look: () => Promise<Look>
  readonly everyMs: number
  /** A look that takes longer counts as failed until it ends: a disk that hangs must not go unnoticed. */
  readonly overdueMs?: number
  readonly tell: (news: PollNews) => void
  readonly nowMs?: () => number
  readonly later?: Later
  readonly random?: () => number
}

// Of the time between two looks, either way: replicas that start as one do not ask as one.
const jitter = 0.1
const defaultOverdueMs = 30_000

/**
 * Polls one source: one look at a time, each some time after the one before has ended. It keeps apart what failed, which
 * the next look settles, and what was refused, which stands until the content changes.
 */
export class Poller implements AsyncDisposable {
  readonly #options: PollerOptions
  readonly #nowMs: () => number
  readonly #later: Later
  #failed: Standing | undefined
  #refused: Standing | undefined
  #looking: Promise<void> = Promise.resolve()
  #cancelNext: () => void = () => {}
  #isClosed = false

  constructor(options: PollerOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? Date.now
    this.#later = options.later ?? setTimer
  }

  /** Why what the source says now is not in force; empty when it is. */
  get standing(): readonly Standing[] {
    return [this.#failed, this.#refused].filter((standing) => standing !== undefined)
  }

  /** The same as texts alone. */
  get problems(): readonly string[] {
    return this.standing.flatMap(({ problems }) => problems)
  }

  /** Begins to look now and then; the first time after one interval. */
  start(): void {
    if (this.#isClosed) return
    const { everyMs, random = Math.random } = this.#options
    this.#cancelNext = this.#later(
      () => void this.refresh().then(() => this.start()),
      everyMs * (1 - jitter + 2 * jitter * random()),
    )
  }

  /** Looks now, after the look that is under way: an older reading never replaces a newer one. Never rejects. */
  refresh(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look())
    return this.#looking
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#cancelNext()
    await this.#looking
  }

  async #look(): Promise<void> {
    if (this.#isClosed) return
    const { look, overdueMs = defaultOverdueMs } = this.#options
    const cancel = this.#later(() => {
      if (!this.#isClosed) this.#settleFaults([`a look at it has not ended within ${overdueMs / 1000} s`])
    }, overdueMs)
    const found = await attempt(look)
    cancel()
    // Closing ends what a look waits for; that is no fault.
    if (this.#isClosed) return
    this.#settleFaults(found.faults)
    if (found.refusals !== 'unchanged') this.#settleRefusals(found.refusals)
  }

  #settleFaults(problems: readonly string[]): void {
    const before = this.#failed
    this.#failed = this.#toStanding('failed', problems, before)
    const { tell } = this.#options
    if (problems.length > 0)
      tell({
        kind: 'failed',
        problems,
        isFirst: before === undefined,
        isNew: before?.problems.join('\n') !== problems.join('\n'),
      })
    else if (before !== undefined) tell({ kind: 'recovered' })
  }

  #settleRefusals(problems: readonly string[]): void {
    const before = this.#refused
    this.#refused = this.#toStanding('refused', problems, before)
    if (problems.some((problem) => before?.problems.includes(problem) !== true))
      this.#options.tell({ kind: 'refused', problems })
  }

  #toStanding(
    kind: Standing['kind'],
    problems: readonly string[],
    before: Standing | undefined,
  ): Standing | undefined {
    return problems.length === 0 ? undefined : { kind, problems, sinceMs: before?.sinceMs ?? this.#nowMs() }
  }
}

async function attempt(look: PollerOptions['look']): Promise<Look> {
  try {
    return await look()
  } catch (cause) {
    return { faults: [describeCause(cause)], refusals: 'unchanged' }
  }
}

/** Reports what a poller has to tell as news of this source. */
export function reportAs(what: FollowedSource, report: Report): (news: PollNews) => void {
  return (news) => {
    switch (news.kind) {
      case 'failed':
        report({ ...news, kind: 'source_failed', what })
        break
      case 'recovered':
        report({ kind: 'source_recovered', what })
        break
      case 'refused':
        report({ ...news, kind: 'source_refused', what })
        break
    }
  }
}

function setTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms).unref()
  return () => clearTimeout(timer)
}
