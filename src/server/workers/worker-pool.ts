import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Report } from '../../base/model/event.ts'
import { type End, WorkerPlace, type WorkerProgram } from './worker-slot.ts'

/** A worker could not start; `problems` is empty when it has said why itself. */
export class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed'
  readonly code = 'worker_failed'
  readonly problems: readonly string[]
  /** Whether it could not use files that the configuration names. */
  readonly isOfFiles: boolean

  constructor(worker: number, end: End) {
    super(`worker ${worker} ended with ${end.how} before it could decide`)
    this.isOfFiles = end.code === refusedFiles
    this.problems = this.isOfFiles || end.code === saidWhy ? [] : [this.message]
  }
}

/** The exit codes with which a server ends that could not start, and has said why. */
const saidWhy = 1
const refusedFiles = 78
const lookMs = 2000
const firstRestartMs = 500
const maxRestartMs = 30_000
/** Who has lived as long did not fail to start. */
const soundMs = 60_000
/** What a worker gets to close its log when it is to end at once. */
const closingMs = 5000

/** The workers: each place is filled again when its process ends. */
export class Crew implements AsyncDisposable {
  readonly places: readonly WorkerPlace[]
  /** Resolves when nobody is left who decides, and who should take a place cannot start. */
  readonly failed: Promise<WorkerFailed>
  readonly #report: Report
  readonly #looking: NodeJS.Timeout
  readonly #ending = new AbortController()
  #fail: (cause: WorkerFailed) => void = () => {}

  constructor(count: number, program: WorkerProgram, report: Report) {
    this.places = Array.from({ length: count }, (_, index) => new WorkerPlace(index + 1, program))
    this.#report = report
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    this.#looking = setInterval(() => this.#look(), lookMs).unref()
  }

  /**
   * Fills all places. What keeps every worker from starting is said once, by the first. Throws a `WorkerFailed`, or the
   * reason of `stopping`, which ends workers that still start.
   */
  async open(onFirst: () => Promise<void>, stopping: AbortSignal): Promise<void> {
    const stop = (): void => void this[Symbol.asyncDispose]()
    stopping.addEventListener('abort', stop)
    try {
      const [first, ...others] = this.places
      if (first !== undefined) await this.#begin(first, stopping)
      await onFirst()
      await Promise.all(others.map((place) => this.#begin(place, stopping)))
      stopping.throwIfAborted()
    } finally {
      stopping.removeEventListener('abort', stop)
    }
  }

  /** Hands a connection to the ready worker with the fewest: connections live long, and requests follow them. */
  give(listener: number, socket: Socket): void {
    const running = this.places
      .filter(({ isRunning }) => isRunning)
      .sort((one, other) => rankOf(one) - rankOf(other) || one.connections - other.connections)
    if (running.some((place) => place.give(listener, socket))) return
    socket.destroy()
    this.#report({ kind: 'connection_dropped', why: running.length === 0 ? 'no_worker' : 'backlog' })
  }

  /** Has all drain; resolves when they have ended, at the latest after this time. */
  async drain(signal: string, withinMs: number): Promise<void> {
    this.#ending.abort()
    for (const place of this.places) {
      if (place.isRunning) place.drain(signal)
      else place.leave()
    }
    await this.#untilEnded(withinMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#looking)
    this.#ending.abort()
    for (const place of this.places) place.leave()
    await this.#untilEnded(closingMs)
  }

  async #begin(place: WorkerPlace, stopping: AbortSignal): Promise<void> {
    stopping.throwIfAborted()
    const startedMs = performance.now()
    const result = await place.open()
    if (result !== 'opened') stopping.throwIfAborted()
    if (result !== 'opened') throw new WorkerFailed(place.number, result)
    this.#announce(place)
    void this.#keep(place, startedMs)
  }

  /** Fills a place again and again, at growing distances. */
  async #keep(place: WorkerPlace, openedMs: number): Promise<void> {
    let startedMs = openedMs
    for (let attempts = 0; ; attempts++) {
      const end = await place.ended
      for (const { listener, socket } of place.takeBack()) this.give(listener, socket)
      if (this.#ending.signal.aborted) return
      if (performance.now() - startedMs > soundMs) attempts = 0
      const restartMs = Math.min(maxRestartMs, firstRestartMs * 2 ** attempts)
      this.#report({ kind: 'worker_ended', worker: place.number, how: end.how, restartMs })
      await wait(restartMs, undefined, { signal: this.#ending.signal }).catch(() => {})
      if (this.#ending.signal.aborted) return
      startedMs = performance.now()
      const result = await place.open()
      if (result === 'opened') this.#announce(place)
      else if (!this.places.some(({ isOpen }) => isOpen))
        return this.#fail(new WorkerFailed(place.number, result))
    }
  }

  /** Each worker names the logs of the others, so that the log of none can be removed unnoticed. */
  #announce({ number, pid }: WorkerPlace): void {
    this.#report({ kind: 'worker_opened', worker: number, pid })
    const logs = this.places.flatMap(({ log }) => log ?? [])
    for (const place of this.places) place.nameLogs(logs)
  }

  #look(): void {
    const isAnyReady = this.places.some(({ isReady }) => isReady)
    for (const place of this.places) {
      const fault = place.look()
      if (fault === 'silent') place.kill('it was silent')
      // Its connections go to who can decide. While nobody can, nothing is won by it.
      else if (fault === 'unready' && isAnyReady) place.drain('another worker can decide, and it cannot')
    }
  }

  async #untilEnded(withinMs: number): Promise<void> {
    const timer = setTimeout(() => {
      for (const place of this.places) place.kill()
    }, withinMs)
    await Promise.all(this.places.map(({ ended }) => ended))
    clearTimeout(timer)
  }
}

/**
 * Who gets a connection before whom. While nobody can decide, a worker says so, in an answer; who drains serves until it has,
 * for Envoy has not heard of it yet; who is silent may yet wake up.
 */
function rankOf({ isReady, isOpen, isSilent }: WorkerPlace): number {
  if (isReady) return 0
  if (isSilent) return 3
  return isOpen ? 1 : 2
}
