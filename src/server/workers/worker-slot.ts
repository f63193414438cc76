import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readiness } from '../admin/admin-server.ts'
import type { KeyState } from './shared-keys.ts'
import { type Order, parseWorkerMessage, type WorkerMessage } from './worker-channel.ts'
import { type End, startProcess, type WorkerProgram } from './worker-process.ts'

/** A connection, and the position of its listener in the configuration. */
export type AssignedConnection = { readonly listener: number; readonly socket: Socket }

type FetchOrder = Extract<WorkerMessage, { readonly kind: 'fetch_key' }>
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
    const { file, text, keys } = this.#options
    this.#connections = 0
    this.#silentChecks = 0
    this.#unreadyChecks = 0
    this.#isEnding = false
    this.#killReason = undefined
    const { child, ended } = startProcess(this.number, this.#options)
    this.#child = child
    this.#ended = ended.then((end) => this.#clear(end))
    this.#order({ kind: 'open', worker: this.number, file, text, keys: keys.states() })
    const opened = new Promise<'opened'>((resolve) => {
      child?.on('message', (message) => this.#onMessage(message, child, () => resolve('opened')))
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

  /** Passes on what has become of a provider's keys. A process that starts later gets them with its first order. */
  passKeys(changed: KeyState): void {
    this.#order({ kind: 'keys', ...changed })
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

  #onMessage(received: unknown, child: ChildProcess, onOpened: () => void): void {
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
      case 'fetch_key':
        void this.#fetchKey(message, child)
        break
      case 'measured':
        this.#onMeasured?.(message.text)
        break
      case undefined:
        break
    }
  }

  async #fetchKey({ id, provider, kid }: FetchOrder, child: ChildProcess): Promise<void> {
    const fetched = await this.#options.keys.fetchKey(provider, kid)
    // A process that has replaced this one gives its own ids.
    if (this.#child === child) this.#order({ kind: 'key_fetched', id, fetched })
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
