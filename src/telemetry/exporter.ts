import { setTimeout as wait } from 'node:timers/promises'
import type { ExportLoss, Report } from '../base/model/event.ts'
import { attemptExport, type ExportTarget } from './export-attempt.ts'

/** The endpoint and limits of an exporter. */
export type ExporterOptions<T> = ExportTarget & {
  readonly what: 'traces'
  /** The URL without secrets. */
  readonly endpoint: string
  /** The maximum number of waiting items; more are dropped. */
  readonly maxQueued: number
  readonly encode: (items: readonly T[]) => Uint8Array
  readonly report: Report
  readonly pace?: Partial<typeof usualPace>
}

const usualPace = {
  /** Few items for each request, because encoding them delays checks. */
  batch: 256,
  /** How long an item waits for others. */
  delayMs: 1000,
  /** Attempts for one batch, and the pause after the first one, which doubles each time. */
  attempts: 5,
  pauseMs: 1000,
  /** How long closing may take. */
  closeMs: 3000,
  /** The interval of repeated reports of an outage. */
  newsMs: 600_000,
}

/** Sends items to one endpoint in the background. `offer` never waits and never reports a failure. */
export class Exporter<T> implements AsyncDisposable {
  readonly #options: ExporterOptions<T>
  readonly #pace: typeof usualPace
  readonly #closing = new AbortController()
  #queue: T[] = []
  /** Items of the batch that is being sent; they count towards the limit. */
  #underWay = 0
  #sending: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** When the current outage was last reported; `undefined` without an outage. */
  #toldAtMs: number | undefined

  constructor(options: ExporterOptions<T>) {
    this.#options = options
    this.#pace = { ...usualPace, ...options.pace }
  }

  /** Queues items that belong together, or drops all of them. */
  offer(items: readonly T[]): void {
    const isFull = this.#queue.length + this.#underWay + items.length > this.#options.maxQueued
    if (this.#closing.signal.aborted) this.#lose(items.length, 'shutdown')
    else if (isFull) this.#lose(items.length, 'queue_full')
    else this.#enqueue(items)
  }

  /** Sends the waiting items, each batch once, within the time limit of closing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#timer)
    const sent = Promise.resolve(this.#sending).then(() => this.#sendAll())
    const inTime = new AbortController()
    await Promise.race([sent, wait(this.#pace.closeMs, undefined, { signal: inTime.signal }).catch(() => {})])
    inTime.abort()
    this.#lose(this.#queue.length + this.#underWay, 'shutdown')
    this.#queue = []
  }

  #enqueue(items: readonly T[]): void {
    this.#queue.push(...items)
    if (this.#sending === undefined) this.#schedule()
  }

  #schedule(): void {
    if (this.#queue.length >= this.#pace.batch) this.#begin()
    else this.#timer ??= setTimeout(() => this.#begin(), this.#pace.delayMs).unref()
  }

  #begin(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined
      if (this.#queue.length > 0 && !this.#closing.signal.aborted) this.#schedule()
    })
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#pace.batch)
      this.#underWay = batch.length
      await this.#send(batch)
      this.#underWay = 0
    }
  }

  async #send(batch: readonly T[]): Promise<void> {
    const body = this.#encode(batch)
    if (body === undefined) return this.#lose(batch.length, 'refused')
    for (let attempt = 1; ; attempt++) {
      const outcome = await attemptExport(body, this.#options)
      if (outcome.kind === 'accepted') return this.#accepted(batch.length, outcome.rejected)
      this.#failed(outcome.reason)
      if (outcome.kind === 'refused') return this.#lose(batch.length, 'refused')
      if (attempt >= this.#pace.attempts || this.#closing.signal.aborted)
        return this.#lose(batch.length, 'unreachable')
      const { signal } = this.#closing
      await wait(this.#pace.pauseMs * 2 ** (attempt - 1), undefined, { signal, ref: false }).catch(() => {})
    }
  }

  #encode(batch: readonly T[]): Uint8Array | undefined {
    try {
      return this.#options.encode(batch)
    } catch (cause) {
      this.#options.report({ kind: 'fault', where: 'observe/exporter', cause })
      return undefined
    }
  }

  #accepted(items: number, rejected: number): void {
    const { what, endpoint, report } = this.#options
    report({
      kind: 'exported',
      what,
      endpoint,
      items: items - rejected,
      isNews: this.#toldAtMs !== undefined,
    })
    this.#toldAtMs = undefined
    this.#lose(rejected, 'refused')
  }

  #failed(reason: string): void {
    const { what, endpoint, report } = this.#options
    const nowMs = performance.now()
    const isNews = this.#toldAtMs === undefined || nowMs - this.#toldAtMs >= this.#pace.newsMs
    if (isNews) this.#toldAtMs = nowMs
    report({ kind: 'export_failed', what, endpoint, reason, isNews })
  }

  #lose(items: number, loss: ExportLoss): void {
    const { what, endpoint, report } = this.#options
    if (items > 0) report({ kind: 'export_lost', what, endpoint, items, loss })
  }
}
