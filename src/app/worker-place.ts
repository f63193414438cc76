import { type ChildProcess, fork } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Readiness } from '../admin/admin-server.ts'
import { passLines } from './whole-lines.ts'
import { type Order, parseNews } from './worker-channel.ts'

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

/** How a process ended. */
export type End = { readonly code: number | null; readonly signal: string | null }

/** A connection, and the place of its listener in the configuration. */
export type Given = { readonly listener: number; readonly socket: Socket }

type Shown = { readonly readiness: Readiness; readonly jwks: object }

const measureMs = 2000
// Looks in a row, one every two seconds: half a minute of silence is a worker that hangs, ten seconds are no mere reload.
const maxSilentLooks = 15
const maxUnreadyLooks = 5
/** Connections on their way to a process: one that does not keep up must not have us hold all that come. */
const maxGiven = 1000

/** One worker's number, and the process that has it now. */
export class WorkerPlace {
  readonly number: number
  readonly #options: WorkerProgram
  #child: ChildProcess | undefined
  #shown: Shown | undefined
  #connections = 0
  readonly #given: Given[] = []
  #silentLooks = 0
  #unreadyLooks = 0
  #isOpen = false
  #isLeaving = false
  #ended: Promise<End> = Promise.resolve({ code: 0, signal: null })
  #onMeasured: ((text: string) => void) | undefined
  #measuring: Promise<string | undefined> | undefined

  constructor(number: number, options: WorkerProgram) {
    this.number = number
    this.#options = options
  }

  /** Starts a process. Resolves when it can be handed connections, or with its end if that comes first. */
  open(): Promise<'opened' | End> {
    const { program, file, text, writeOut, writeError } = this.#options
    const child = fork(program, ['worker', String(this.number)], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#child = child
    this.#connections = 0
    this.#silentLooks = 0
    this.#unreadyLooks = 0
    this.#isLeaving = false
    if (child.stdout !== null) passLines(child.stdout, writeOut)
    if (child.stderr !== null) passLines(child.stderr, writeError)
    this.#ended = new Promise((resolve) => {
      // Its last lines have come by then.
      child.once('close', (code, signal) => resolve({ code, signal }))
      child.once('error', () => resolve({ code: null, signal: null }))
    })
    void this.#ended.then(() => this.#forget())
    this.#order({ kind: 'open', worker: this.number, file, text })
    const opened = new Promise<'opened'>((resolve) => {
      child.on('message', (message) => this.#hear(message, () => resolve('opened')))
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

  /** Whether connections may be handed to it, and whether it can decide. */
  get isOpen(): boolean {
    return this.#isOpen && !this.#isLeaving
  }

  get isReady(): boolean {
    return this.isOpen && this.#shown?.readiness.ready === true
  }

  /** Hands it a connection. */
  give(listener: number, socket: Socket): void {
    if (this.#given.length >= maxGiven) {
      socket.destroy()
      return
    }
    this.#connections++
    this.#given.push({ listener, socket })
    this.#order({ kind: 'connection', listener }, socket)
  }

  /** What was handed over and not taken when the process ended: another may serve it. */
  takeBack(): readonly Given[] {
    return this.#given.splice(0)
  }

  /** Its metrics, or `undefined` when it does not say in time. Who asks meanwhile gets the same answer. */
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

  /** Looks at it now and then: what is wrong with it for so long that another process must take its place. */
  look(): 'silent' | 'unready' | undefined {
    if (!this.#isOpen) return undefined
    this.#silentLooks++
    this.#unreadyLooks = this.isReady ? 0 : this.#unreadyLooks + 1
    if (this.#silentLooks > maxSilentLooks) return 'silent'
    const isServingNobody = this.#isLeaving || this.#connections === 0
    return this.#unreadyLooks > maxUnreadyLooks && !isServingNobody ? 'unready' : undefined
  }

  /** Has it drain and end. */
  drain(signal: string): void {
    this.#isLeaving = true
    this.#order({ kind: 'drain', signal })
  }

  /** Has it end at once. It is told: of a child that its parent disconnects, Node.js 20 never says that it has closed. */
  leave(): void {
    this.#isLeaving = true
    this.#order({ kind: 'leave' })
  }

  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  #order(order: Order, socket?: Socket): void {
    // A process that ends meanwhile takes what it was told with it; its end is seen elsewhere.
    if (this.#child?.connected === true) this.#child.send(order, socket, { keepOpen: true }, () => {})
  }

  #hear(message: unknown, onOpened: () => void): void {
    const news = parseNews(message)
    this.#silentLooks = 0
    switch (news?.kind) {
      case 'opened':
        this.#isOpen = true
        onOpened()
        break
      case 'state':
        this.#shown = news
        break
      case 'taken':
        // This process' end of it; the worker has its own.
        this.#given.shift()?.socket.destroy()
        break
      case 'left':
        this.#connections--
        break
      case 'measured':
        this.#onMeasured?.(news.text)
        break
      case undefined:
        break
    }
  }

  #forget(): void {
    this.#child = undefined
    this.#shown = undefined
    this.#connections = 0
    this.#isOpen = false
  }
}
