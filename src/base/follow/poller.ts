import type { FollowedSource, Report } from '../model/event.ts'
import { describeCause } from '../model/fault.ts'

/** The result of one poll. */
export type Polled = {
  /** Failures outside of the content. The next poll tries again, whatever the content is. */
  readonly faults: readonly string[]
  /** Problems of the content itself; `unchanged` if the content is the same as at the last poll or was not read. */
  readonly refusals: readonly string[] | 'unchanged'
}

/** A change of the state of a source, for logs and metrics. */
export type PollNews =
  /** A poll failed and will be repeated. `isNew` is false if the previous poll failed for the same reasons. */
  | {
      readonly kind: 'failed'
      readonly problems: readonly string[]
      readonly isFirst: boolean
      readonly isNew: boolean
    }
  /** The first successful poll after a failure. */
  | { readonly kind: 'recovered' }
  /** The content has a new problem. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] }

/** The reasons why the current content is not in force, and since when, in milliseconds since the epoch. */
export type Standing = {
  readonly kind: 'failed' | 'refused'
  readonly problems: readonly string[]
  readonly sinceMs: number
}

/** Schedules `run` once; returns a function that cancels it. */
export type Later = (run: () => void, ms: number) => () => void

/** The options of a poller. */
export type PollerOptions = {
  /** Reads the source once and applies its content. An exception is a fault. */
  readonly poll: () => Promise<Polled>
  readonly everyMs: number
  /** A poll that takes longer counts as failed until it ends, so that a hanging disk is noticed. */
  readonly overdueMs?: number
  readonly onNews: (news: PollNews) => void
  readonly nowMs?: () => number
  readonly later?: Later
  readonly random?: () => number
}

// A share of the interval, in both directions, so that replicas that start together do not poll together.
const jitter = 0.1
const defaultOverdueMs = 30_000

/**
 * Polls one source, one poll at a time, with an interval between polls. Faults last until the next poll, refusals until
 * the content changes. Neither replaces the other.
 */
export class Poller implements AsyncDisposable {
  readonly #options: PollerOptions
  readonly #nowMs: () => number
  readonly #later: Later
  #failed: Standing | undefined
  #refused: Standing | undefined
  #polling: Promise<void> = Promise.resolve()
  #cancelNext: () => void = () => {}
  #isClosed = false

  constructor(options: PollerOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? Date.now
    this.#later = options.later ?? setTimer
  }

  /** The reasons why the current content is not in force; empty if it is. */
  get standing(): readonly Standing[] {
    return [this.#failed, this.#refused].filter((standing) => standing !== undefined)
  }

  /** The same as texts. */
  get problems(): readonly string[] {
    return this.standing.flatMap(({ problems }) => problems)
  }

  /** Starts the timer. The first poll follows after one interval. */
  start(): void {
    if (this.#isClosed) return
    const { everyMs, random = Math.random } = this.#options
    this.#cancelNext = this.#later(
      () => void this.refresh().then(() => this.start()),
      everyMs * (1 - jitter + 2 * jitter * random()),
    )
  }

  /** Polls now, after a running poll has ended, so that an older reading never replaces a newer one. Never rejects. */
  refresh(): Promise<void> {
    this.#polling = this.#polling.then(() => this.#poll())
    return this.#polling
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#cancelNext()
    await this.#polling
  }

  async #poll(): Promise<void> {
    if (this.#isClosed) return
    const { poll, overdueMs = defaultOverdueMs } = this.#options
    const cancel = this.#later(() => {
      if (!this.#isClosed) this.#setFaults([`reading it has not ended within ${overdueMs / 1000} s`])
    }, overdueMs)
    const polled = await attempt(poll)
    cancel()
    // Closing aborts a running poll; that is not a fault.
    if (this.#isClosed) return
    this.#setFaults(polled.faults)
    if (polled.refusals !== 'unchanged') this.#setRefusals(polled.refusals)
  }

  #setFaults(problems: readonly string[]): void {
    const before = this.#failed
    this.#failed = this.#toStanding('failed', problems, before)
    const { onNews } = this.#options
    if (problems.length > 0)
      onNews({
        kind: 'failed',
        problems,
        isFirst: before === undefined,
        isNew: before?.problems.join('\n') !== problems.join('\n'),
      })
    else if (before !== undefined) onNews({ kind: 'recovered' })
  }

  #setRefusals(problems: readonly string[]): void {
    const before = this.#refused
    this.#refused = this.#toStanding('refused', problems, before)
    if (problems.some((problem) => before?.problems.includes(problem) !== true))
      this.#options.onNews({ kind: 'refused', problems })
  }

  #toStanding(
    kind: Standing['kind'],
    problems: readonly string[],
    before: Standing | undefined,
  ): Standing | undefined {
    return problems.length === 0 ? undefined : { kind, problems, sinceMs: before?.sinceMs ?? this.#nowMs() }
  }
}

async function attempt(poll: PollerOptions['poll']): Promise<Polled> {
  try {
    return await poll()
  } catch (cause) {
    return { faults: [describeCause(cause)], refusals: 'unchanged' }
  }
}

/** Converts poll news into events of this source. */
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

/** Node.js replaces a longer timer by 1 ms. */
const maxTimerMs = 2 ** 31 - 1

function setTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, Math.min(ms, maxTimerMs)).unref()
  return () => clearTimeout(timer)
}
