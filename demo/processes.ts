import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'

/** A program to start, and a URL that answers 200 once it is ready. */
export type Program = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly readyUrl?: string
  readonly readyWithinMs?: number
}

/** A child process that the hospital started, and that only its own pid stops. */
export type Running = {
  readonly name: string
  readonly pid: number
  readonly isRunning: () => boolean
  /** Resolves when it is gone; `isStopped` when that was asked for. */
  readonly ended: Promise<{ readonly code: number | null; readonly isStopped: boolean }>
  /** Sends a signal and waits until the process is gone; its exit code, or `null` when the signal ended it. */
  readonly stop: (signal: NodeJS.Signals) => Promise<number | null>
  /** Ends it at once, without waiting. */
  readonly kill: () => void
}

const usuallyReadyWithinMs = 120_000
const stopWithinMs = 10_000

/** Starts children and stops all of them at the end. Their output goes to `<name>.log` in one directory. */
export class Processes {
  readonly #directory: string
  readonly #running: Running[] = []

  readonly #killAll = (): void => {
    for (const running of this.#running) running.kill()
  }

  constructor(directory: string) {
    this.#directory = directory
    // Whatever ends this process, no child outlives it.
    process.once('exit', this.#killAll)
  }

  /** Starts a program and waits until it is ready. Fails with its last words when it ends before. */
  async start(program: Program): Promise<Running> {
    const log = join(this.#directory, `${program.name}.log`)
    const descriptor = openSync(log, 'a')
    const child = spawn(program.command, program.args, {
      // Services end when this pipe does. A group of their own keeps Ctrl-C at this process, which stops them in order.
      stdio: ['pipe', descriptor, descriptor],
      detached: true,
      env: { ...process.env, ...program.env },
    })
    closeSync(descriptor)
    const running = toRunning(program.name, child)
    this.#running.push(running)
    await untilReady(program, running, log)
    void running.ended.then(({ isStopped }) => {
      if (!isStopped) console.error(`${program.name} ended by itself; the end of ${log}:\n${lastLines(log)}`)
    })
    return running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((running) => running.stop('SIGTERM')))
    process.off('exit', this.#killAll)
  }
}

function toRunning(name: string, child: ChildProcess): Running {
  let isRunning = true
  let isStopped = false
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', resolve)
    child.once('error', () => resolve(null))
  }).then((code) => {
    isRunning = false
    return { code, isStopped }
  })
  const kill = (signal: NodeJS.Signals): void => {
    isStopped = true
    if (isRunning) child.kill(signal)
  }
  return {
    name,
    pid: child.pid ?? -1,
    isRunning: () => isRunning,
    ended,
    stop: async (signal) => {
      kill(signal)
      const timer = setTimeout(() => kill('SIGKILL'), stopWithinMs)
      const { code } = await ended
      clearTimeout(timer)
      return code
    },
    kill: () => kill('SIGKILL'),
  }
}

async function untilReady(program: Program, running: Running, log: string): Promise<void> {
  const { readyWithinMs = usuallyReadyWithinMs } = program
  const giveUpAtMs = performance.now() + readyWithinMs
  while (running.isRunning()) {
    if (program.readyUrl === undefined || (await answers(program.readyUrl))) return
    if (performance.now() > giveUpAtMs) break
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  const problem = running.isRunning()
    ? `was not ready within ${readyWithinMs / 1000} s`
    : 'ended before it was ready'
  throw new Error(`${program.name} ${problem}; the end of ${log}:\n${lastLines(log)}`)
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    request(url, { agent: false, timeout: 1000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
      .on('error', () => resolve(false))
      .on('timeout', () => resolve(false))
      .end()
  })
}

function lastLines(file: string): string {
  if (!existsSync(file)) return '(nothing)'
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
}
