import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import { describeCause } from '../../base/model/fault.ts'
import type { Readiness } from '../admin/admin-server.ts'
import { passLines } from './pass-lines.ts'
import { type Order, parseWorkerMessage } from './worker-channel.ts'

/** What a worker runs, and where its lines go. */
export type WorkerProgram = {
  /** The path of our own program. */
  readonly program: string
  /** The configuration: the name of its file and what it said when the primary read it. */
  readonly file: string
  readonly text: string
  readonly writeOut: (lines: Uint8Array) => void
  readonly writeError: (lines: Uint8Array) => void
}

/** How a process ended, or why none could be started. */
export type End = { readonly code: number | null; readonly how: string }

/** A connection, and the slot of its listener in the configuration. */
export type AssignedConnection = { readonly listener: number; readonly socket: Socket }

type Shown = { readonly readiness: Readiness; readonly jwks: object }

const measureMs = 2000
// Looks in a row, one every two seconds: half a minute of silence is a worker that hangs, ten seconds are no mere reload.
// Who starts is silent for as long as many policies take on a machine that has much else to do.
const maxStartingChecks = 60
const maxSilentChecks = 15
const maxUnreadyChecks = 5
// Two may pass between two signs of life, which come as often.
const maxQuietChecks = 2
/** Connections on their way to a process: one that does not keep up must not have us hold all that come. */
const maxAssigned = 1000

/** One worker's number, and the process that has it now. */
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

  /** Starts a process. Resolves when it can be handed connections, or with its end if that comes first. */
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

  /** How the process ended, or will. */
  get ended(): Promise<End> {
    return this.#ended
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get connections(): number {
    return this.#connections
  }

  /** What it last said of itself; `undefined` while no process runs that could decide. */
  get shown(): Shown | undefined {
    return this.#isOpen ? this.#shown : undefined
  }

  /** The name of its log; `undefined` while no process runs. */
  get log(): string | undefined {
    return this.#log
  }

  /** Whether connections can be handed to it, for it serves until it has drained; whether they should, and whether it can decide. */
  get isRunning(): boolean {
    return this.#isOpen
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isEnding
  }

  get isReady(): boolean {
    return this.isOpen && this.#reportsReady && !this.isSilent
  }

  /** Whether it has said nothing for some seconds: what it said last may no longer be so. */
  get isSilent(): boolean {
    return this.#silentChecks > maxQuietChecks
  }

  /** Hands it a connection, unless too many are on their way to it. */
  assign(listener: number, socket: Socket): boolean {
    if (this.#assigned.length >= maxAssigned) return false
    this.#connections++
    this.#assigned.push({ listener, socket })
    this.#order({ kind: 'connection', listener }, socket)
    return true
  }

  /** What was handed over and not taken when the process ended: another may serve it. */
  reclaim(): readonly AssignedConnection[] {
    return this.#assigned.splice(0)
  }

  /** Its metrics, or `undefined` when it does not say, or not in time. Who asks meanwhile gets the same answer. */
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

  /** Looks at it now and then: what is wrong with it for so long that another process must take its slot. */
  inspect(): 'silent' | 'unready' | undefined {
    if (this.#child === undefined) return undefined
    this.#silentChecks++
    if (!this.#isOpen) return this.#silentChecks > maxStartingChecks ? 'silent' : undefined
    this.#unreadyChecks = this.#reportsReady ? 0 : this.#unreadyChecks + 1
    if (this.#silentChecks > maxSilentChecks) return 'silent'
    const isServingNobody = this.#isEnding || this.#connections === 0
    return this.#unreadyChecks > maxUnreadyChecks && !isServingNobody ? 'unready' : undefined
  }

  /** Has it name the logs of all workers in its own. */
  nameLogs(logs: readonly string[]): void {
    this.#order({ kind: 'logs', logs })
  }

  /** Has it drain and end. */
  drain(signal: string): void {
    this.#isEnding = true
    this.#order({ kind: 'drain', signal })
  }

  /** Has it end at once. It is told: of a child that its parent disconnects, Node.js 20 never says that it has closed. */
  stop(): void {
    this.#isEnding = true
    this.#order({ kind: 'stop' })
  }

  /** `why` is told with its end: what a system kills for memory ends by the same signal. */
  kill(why?: string): void {
    this.#killReason ??= why
    this.#child?.kill('SIGKILL')
  }

  get #reportsReady(): boolean {
    return this.#shown?.readiness.ready === true
  }

  #order(order: Order, socket?: Socket): void {
    // A process that ends meanwhile takes what it was told with it; its end is seen elsewhere.
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
        // This process' end of it; the worker has its own.
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

/** Starts our own program. Who has no file or memory left for another process has one that ended at once. */
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
    // Whatever their types say, there are none when the process could not be started.
    if (child.stdout) passLines(child.stdout, writeOut)
    if (child.stderr) passLines(child.stderr, writeError)
    return { child, ended }
  } catch (cause) {
    return { child: undefined, ended: Promise.resolve({ code: null, how: describeCause(cause) }) }
  }
}

function untilEnded(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    // Its last lines have come by then.
    child.once('close', (code, signal) => resolve({ code, how: signal ?? `exit code ${code}` }))
    child.on('error', (cause) => {
      // It is said too of a process that runs and could not be killed.
      if (child.pid === undefined) resolve({ code: null, how: describeCause(cause) })
    })
  })
}
