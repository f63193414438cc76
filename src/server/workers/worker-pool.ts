import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Report } from '../../base/model/event.ts'
import type { End, WorkerProgram } from './worker-process.ts'
import { WorkerSlot } from './worker-slot.ts'

/** A worker could not start. `problems` is empty if the worker has already reported why. */
export class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed'
  readonly code = 'worker_failed'
  readonly problems: readonly string[]
  /** True if configured files could not be used. */
  readonly isOfFiles: boolean

  constructor(worker: number, end: End) {
    super(`worker ${worker} ended with ${end.how} before it could decide`)
    this.isOfFiles = end.code === refusedFiles
    this.problems = this.isOfFiles || end.code === reported ? [] : [this.message]
  }
}

/** The exit codes of a server that could not start and has reported why. */
const reported = 1
const refusedFiles = 78
const inspectMs = 2000
const firstRestartMs = 500
const maxRestartMs = 30_000
/** A worker that ran this long started successfully, so the restart backoff is reset. */
const stableMs = 60_000
/** The time for a worker to close its log when it must end at once. */
const closingMs = 5000

/** The workers. A worker whose process ends is restarted in the same slot. */
export class WorkerPool implements AsyncDisposable {
  readonly slots: readonly WorkerSlot[]
  /** Resolves when no worker can decide and a replacement cannot start. */
  readonly failed: Promise<WorkerFailed>
  readonly #report: Report
  readonly #timer: NodeJS.Timeout
  readonly #ending = new AbortController()
  #fail: (cause: WorkerFailed) => void = () => {}

  constructor(count: number, program: WorkerProgram, report: Report) {
    this.slots = Array.from({ length: count }, (_, index) => new WorkerSlot(index + 1, program))
    this.#report = report
    program.keys.onChange((changed) => {
      for (const slot of this.slots) slot.passKeys(changed)
    })
    this.failed = new Promise((resolve) => {
      this.#fail = resolve
    })
    this.#timer = setInterval(() => this.#inspectAll(), inspectMs).unref()
  }

  /**
   * Starts all workers. A problem that stops every worker is reported once, by the first. Throws a `WorkerFailed`, or the
   * reason of `stopping`, which ends workers that are starting.
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

  /**
   * Hands a connection to the ready worker with the fewest connections. Connections live long, and requests follow them.
   */
  assign(listener: number, socket: Socket): void {
    const running = this.slots
      .filter(({ isRunning }) => isRunning)
      .sort((one, other) => rankOf(one) - rankOf(other) || one.connections - other.connections)
    if (running.some((slot) => slot.assign(listener, socket))) return
    socket.destroy()
    this.#report({ kind: 'connection_dropped', why: running.length === 0 ? 'no_worker' : 'backlog' })
  }

  /** Drains all workers. Resolves when they have ended, at the latest after this time. */
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

  /** Restarts a slot's process whenever it ends, with growing delays. */
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

  /** Each worker names the logs of the others, so that none can be removed unnoticed. */
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
      // A drained worker's connections move to ready workers. Without a ready worker draining gains nothing.
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
 * Orders workers for new connections. A worker that cannot decide still answers that it cannot. A draining worker serves
 * until it has drained, because Envoy has not seen it yet. A silent worker may recover.
 */
function rankOf({ isReady, isOpen, isSilent }: WorkerSlot): number {
  if (isReady) return 0
  if (isSilent) return 3
  return isOpen ? 1 : 2
}
