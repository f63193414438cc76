import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Report } from '../../base/model/event.ts'
import { type End, type WorkerProgram, WorkerSlot } from './worker-slot.ts'

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
    this.problems = this.isOfFiles || end.code === reported ? [] : [this.message]
  }
}

/** The exit codes with which a server ends that could not start, and has said why. */
const reported = 1
const refusedFiles = 78
const inspectMs = 2000
const firstRestartMs = 500
const maxRestartMs = 30_000
/** Who has lived as long did not fail to start. */
const stableMs = 60_000
/** What a worker gets to close its log when it is to end at once. */
const closingMs = 5000

/** The workers: each slot is filled again when its process ends. */
export class WorkerPool implements AsyncDisposable {
  readonly slots: readonly WorkerSlot[]
  /** Resolves when nobody is left who decides, and who should take a slot cannot start. */
  readonly failed: Promise<WorkerFailed>
  readonly #report: Report
  readonly #timer: NodeJS.Timeout
  readonly #ending = new AbortController()
  #fail: (cause: WorkerFailed) => void = () => {}

  constructor(count: number, program: WorkerProgram, report: Report) {
    this.slots = Array.from({ length: count }, (_, index) => new WorkerSlot(index + 1, program))
    this.#report = report
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    this.#timer = setInterval(() => this.#inspectAll(), inspectMs).unref()
  }

  /**
   * Fills all slots. What keeps every worker from starting is said once, by the first. Throws a `WorkerFailed`, or the
   * reason of `stopping`, which ends workers that still start.
   */
  async open(onFirst: () => Promise<void>, stopping: AbortSignal): Promise<void> {
    const stop = (): void => void this[Symbol.asyncDispose]()
    stopping.addEventListener('abort', stop)
    try {
      const [first, ...others] = this.slots
      if (first !== undefined) await this.#start(first, stopping)
      await onFirst()
      await Promise.all(others.map((slot) => this.#start(slot, stopping)))
      stopping.throwIfAborted()
    } finally {
      stopping.removeEventListener('abort', stop)
    }
  }

  /** Hands a connection to the ready worker with the fewest: connections live long, and requests follow them. */
  assign(listener: number, socket: Socket): void {
    const running = this.slots
      .filter(({ isRunning }) => isRunning)
      .sort((one, other) => rankOf(one) - rankOf(other) || one.connections - other.connections)
    if (running.some((slot) => slot.assign(listener, socket))) return
    socket.destroy()
    this.#report({ kind: 'connection_dropped', why: running.length === 0 ? 'no_worker' : 'backlog' })
  }

  /** Has all drain; resolves when they have ended, at the latest after this time. */
  async drain(signal: string, withinMs: number): Promise<void> {
    this.#ending.abort()
    for (const slot of this.slots) {
      if (slot.isRunning) slot.drain(signal)
      else slot.stop()
    }
    await this.#untilEnded(withinMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#ending.abort()
    for (const slot of this.slots) slot.stop()
    await this.#untilEnded(closingMs)
  }

  async #start(slot: WorkerSlot, stopping: AbortSignal): Promise<void> {
    stopping.throwIfAborted()
    const startedMs = performance.now()
    const result = await slot.open()
    if (result !== 'opened') stopping.throwIfAborted()
    if (result !== 'opened') throw new WorkerFailed(slot.number, result)
    this.#announce(slot)
    void this.#supervise(slot, startedMs)
  }

  /** Fills a slot again and again, at growing distances. */
  async #supervise(slot: WorkerSlot, openedMs: number): Promise<void> {
    let startedMs = openedMs
    for (let attempts = 0; ; attempts++) {
      const end = await slot.ended
      for (const { listener, socket } of slot.reclaim()) this.assign(listener, socket)
      if (this.#ending.signal.aborted) return
      if (performance.now() - startedMs > stableMs) attempts = 0
      const restartMs = Math.min(maxRestartMs, firstRestartMs * 2 ** attempts)
      this.#report({ kind: 'worker_ended', worker: slot.number, how: end.how, restartMs })
      await wait(restartMs, undefined, { signal: this.#ending.signal }).catch(() => {})
      if (this.#ending.signal.aborted) return
      startedMs = performance.now()
      const result = await slot.open()
      if (result === 'opened') this.#announce(slot)
      else if (!this.slots.some(({ isOpen }) => isOpen))
        return this.#fail(new WorkerFailed(slot.number, result))
    }
  }

  /** Each worker names the logs of the others, so that the log of none can be removed unnoticed. */
  #announce({ number, pid }: WorkerSlot): void {
    this.#report({ kind: 'worker_opened', worker: number, pid })
    const logs = this.slots.flatMap(({ log }) => log ?? [])
    for (const slot of this.slots) slot.nameLogs(logs)
  }

  #inspectAll(): void {
    const isAnyReady = this.slots.some(({ isReady }) => isReady)
    for (const slot of this.slots) {
      const fault = slot.inspect()
      if (fault === 'silent') slot.kill('it was silent')
      // Its connections go to who can decide. While nobody can, nothing is won by it.
      else if (fault === 'unready' && isAnyReady) slot.drain('another worker can decide, and it cannot')
    }
  }

  async #untilEnded(withinMs: number): Promise<void> {
    const timer = setTimeout(() => {
      for (const slot of this.slots) slot.kill()
    }, withinMs)
    await Promise.all(this.slots.map(({ ended }) => ended))
    clearTimeout(timer)
  }
}

/**
 * Who gets a connection before whom. While nobody can decide, a worker says so, in an answer; who drains serves until it has,
 * for Envoy has not heard of it yet; who is silent may yet wake up.
 */
function rankOf({ isReady, isOpen, isSilent }: WorkerSlot): number {
  if (isReady) return 0
  if (isSilent) return 3
  return isOpen ? 1 : 2
}
