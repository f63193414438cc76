import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import { describeCause } from '../../base/model/fault.ts'
import type { Readiness } from '../admin/admin-server.ts'
import { passLines } from './pass-lines.ts'
import { type Order, parseWorkerMessage } from './worker-channel.ts'

/** The program of a worker, its configuration, and the sinks of its output. */
export type WorkerProgram = {
  /** The path of our own program. */
  readonly program: string
  /** The configuration: the file's name, and its text when the primary read it. */
  readonly file: string
  readonly text: string
  readonly writeOut: (lines: Uint8Array) => void
  readonly writeError: (lines: Uint8Array) => void
}

/** How a process ended, or why it could not be started. */
export type End = { readonly code: number | null; readonly how: string }

/** A connection, and the position of its listener in the configuration. */
export type AssignedConnection = { readonly listener: number; readonly socket: Socket }

type Shown = { readonly readiness: Readiness; readonly jwks: object }

const measureMs = 2000
// Numbers of inspections in a row, one every two seconds. Half a minute of silence means a hanging worker; ten seconds
// are more than a reload. Starting can take long with many policies on a busy machine.
const maxStartingChecks = 60
const maxSilentChecks = 15
const maxUnreadyChecks = 5
// Two inspections may fall between two signs of life, which have the same interval.
const maxQuietChecks = 2
/**
 * The maximum number of unconfirmed connections of one worker. A slow worker must not make the primary hold all new
 * connections.
 */
const maxAssigned = 1000

/** The slot of one worker number, with its current process. */
export class WorkerSlot {
  readonly number: number
  readonly #options: WorkerProgram
  #child: ChildProcess | undefined
  #shown: Shown | undefined
  #log: string | undefined
  #connections = 0
  readonly #assigned: AssignedConnection[] = []
  #silentChecks = 0
  #unreadyChecks = 0
  #isOpen = false
  #isEnding = false
  #killReason: string | undefined
  #ended: Promise<End> = Promise.resolve({ code: 0, how: 'not started' })
  #onMeasured: ((text: string | undefined) => void) | undefined
  #measuring: Promise<string | undefined> | undefined

  constructor(number: number, options: WorkerProgram) {
    this.number = number
    this.#options = options
  }

  /** Starts a process. Resolves when it accepts connections, or with its end if that comes first. */
  open(): Promise<'opened' | End> {
    const { file, text } = this.#options
    this.#connections = 0
    this.#silentChecks = 0
    this.#unreadyChecks = 0
    this.#isEnding = false
    this.#killReason = undefined
    const { child, ended } = startProcess(this.number, this.#options)
    this.#child = child
    this.#ended = ended.then((end) => this.#clear(end))
    this.#order({ kind: 'open', worker: this.number, file, text })
    const opened = new Promise<'opened'>((resolve) => {
      child?.on('message', (message) => this.#onMessage(message, () => resolve('opened')))
    })
    return Promise.race([opened, this.#ended])
  }

  /** Resolves with the end of the process. */
  get ended(): Promise<End> {
    return this.#ended
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get connections(): number {
    return this.#connections
  }

  /** The worker's last reported state; `undefined` while no process can decide. */
  get shown(): Shown | undefined {
    return this.#isOpen ? this.#shown : undefined
  }

  /** The name of its log; `undefined` while no process runs. */
  get log(): string | undefined {
    return this.#log
  }

  /**
   * `isRunning`: accepts connections, even while draining. `isOpen`: running and not draining. `isReady`: open, last
   * reported ready, and not silent.
   */
  get isRunning(): boolean {
    return this.#isOpen
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isEnding
  }

  get isReady(): boolean {
    return this.isOpen && this.#reportsReady && !this.isSilent
  }

  /** True after some seconds without a report: the last state may be outdated. */
  get isSilent(): boolean {
    return this.#silentChecks > maxQuietChecks
  }

  /** Hands over a connection, unless too many are unconfirmed. */
  assign(listener: number, socket: Socket): boolean {
    if (this.#assigned.length >= maxAssigned) return false
    this.#connections++
    this.#assigned.push({ listener, socket })
    this.#order({ kind: 'connection', listener }, socket)
    return true
  }

  /** Returns the connections that the process did not confirm before it ended. Another worker may serve them. */
  reclaim(): readonly AssignedConnection[] {
    return this.#assigned.splice(0)
  }

  /** Returns the worker's metrics; `undefined` without an answer in time. Concurrent calls share one answer. */
  measure(): Promise<string | undefined> {
    if (!this.#isOpen) return Promise.resolve(undefined)
    this.#measuring ??= new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), measureMs)
      this.#onMeasured = (text) => {
        clearTimeout(timer)
        resolve(text)
      }
      this.#order({ kind: 'measure' })
    }).finally(() => {
      this.#measuring = undefined
    })
    return this.#measuring
  }

  /** Called at intervals. Returns a fault that lasted so long that the process must be replaced. */
  inspect(): 'silent' | 'unready' | undefined {
    if (this.#child === undefined) return undefined
    this.#silentChecks++
    if (!this.#isOpen) return this.#silentChecks > maxStartingChecks ? 'silent' : undefined
    this.#unreadyChecks = this.#reportsReady ? 0 : this.#unreadyChecks + 1
    if (this.#silentChecks > maxSilentChecks) return 'silent'
    const isServingNobody = this.#isEnding || this.#connections === 0
    return this.#unreadyChecks > maxUnreadyChecks && !isServingNobody ? 'unready' : undefined
  }

  /** Orders the worker to name the logs of all workers in its own log. */
  nameLogs(logs: readonly string[]): void {
    this.#order({ kind: 'logs', logs })
  }

  /** Orders the worker to drain and end. */
  drain(signal: string): void {
    this.#isEnding = true
    this.#order({ kind: 'drain', signal })
  }

  /**
   * Orders the worker to end at once. A message is needed, because Node.js 20 never emits `close` for a child that its
   * parent disconnects.
   */
  stop(): void {
    this.#isEnding = true
    this.#order({ kind: 'stop' })
  }

  /** `why` becomes part of the reported end, because the out-of-memory killer uses the same signal. */
  kill(why?: string): void {
    this.#killReason ??= why
    this.#child?.kill('SIGKILL')
  }

  get #reportsReady(): boolean {
    return this.#shown?.readiness.ready === true
  }

  #order(order: Order, socket?: Socket): void {
    // A process that ends meanwhile never reads the order; its end is detected elsewhere.
    if (this.#child?.connected === true) this.#child.send(order, socket, { keepOpen: true }, () => {})
  }

  #onMessage(received: unknown, onOpened: () => void): void {
    const message = parseWorkerMessage(received)
    this.#silentChecks = 0
    switch (message?.kind) {
      case 'opened':
        this.#isOpen = true
        this.#log = message.log
        onOpened()
        break
      case 'state':
        this.#shown = message
        break
      case 'accepted':
        // Closes this process' copy of the socket; the worker has its own.
        this.#assigned.shift()?.socket.destroy()
        break
      case 'closed':
        this.#connections--
        break
      case 'measured':
        this.#onMeasured?.(message.text)
        break
      case undefined:
        break
    }
  }

  #clear({ code, how }: End): End {
    this.#child = undefined
    this.#shown = undefined
    this.#log = undefined
    this.#connections = 0
    this.#isOpen = false
    return { code, how: this.#killReason === undefined ? how : `${how}, for ${this.#killReason}` }
  }
}

/** Starts our own program. If files or memory are exhausted, it returns a process that ended at once. */
function startProcess(
  worker: number,
  { program, writeOut, writeError }: WorkerProgram,
): { readonly child: ChildProcess | undefined; readonly ended: Promise<End> } {
  try {
    const child = fork(program, ['worker', String(worker)], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const ended = untilEnded(child)
    // Despite their types, the streams are missing if the process could not be started.
    if (child.stdout) passLines(child.stdout, writeOut)
    if (child.stderr) passLines(child.stderr, writeError)
    return { child, ended }
  } catch (cause) {
    return { child: undefined, ended: Promise.resolve({ code: null, how: describeCause(cause) }) }
  }
}

function untilEnded(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    // At `close` its last lines have been read.
    child.once('close', (code, signal) => resolve({ code, how: signal ?? `exit code ${code}` }))
    child.on('error', (cause) => {
      // `error` is also emitted for a running process that could not be killed.
      if (child.pid === undefined) resolve({ code: null, how: describeCause(cause) })
    })
  })
}
