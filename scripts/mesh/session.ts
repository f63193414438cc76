import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'

/** The output of a command, both streams in order, and its exit code. */
export type Printed = { readonly command: string; readonly output: string; readonly code: number }

const withinMs = 180_000

/** A shell that stays open, as a reader's own: what one command changes, such as its folder, the next one finds. */
export class Session implements AsyncDisposable {
  readonly #shell: ChildProcessWithoutNullStreams
  #output = ''
  #onOutput: () => void = () => {}

  constructor(env: Readonly<Record<string, string>>, directory: string) {
    // A group of its own: what it left running ends with it.
    this.#shell = spawn('bash', ['--noprofile', '--norc'], { env, cwd: directory, detached: true })
    this.#shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text
      this.#onOutput()
    })
    this.#shell.stdin.write('exec 2>&1\n')
  }

  /** Runs one command and waits until it has ended, or until it is in the background. */
  async run(command: string): Promise<Printed> {
    const mark = randomUUID()
    this.#output = ''
    this.#shell.stdin.write(`${command}\necho "${mark} $?"\n`)
    const end = new RegExp(`${mark} (\\d+)\n`)
    const found = await new Promise<RegExpExecArray>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`\`${command}\` did not end within ${withinMs / 1000} s: ${this.#output}`)),
        withinMs,
      )
      this.#onOutput = () => {
        const match = end.exec(this.#output)
        if (match === null) return
        clearTimeout(timer)
        resolve(match)
      }
    })
    return { command, output: this.#output.slice(0, found.index), code: Number(found[1]) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#shell
    if (pid !== undefined && this.#shell.exitCode === null) process.kill(-pid, 'SIGKILL')
  }
}
