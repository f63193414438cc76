import { type ChildProcess, fork } from 'node:child_process'
import { describeCause } from '../../base/model/fault.ts'
import { passLines } from './pass-lines.ts'
import type { SharedKeys } from './shared-keys.ts'

/** The program of a worker, its configuration, and the sinks of its output. */
export type WorkerProgram = {
  /** The path of our own program. */
  readonly program: string
  /** The configuration: the file's name, and its text when the primary read it. */
  readonly file: string
  readonly text: string
  /** Providers' keys, which the primary fetches for its workers. */
  readonly keys: SharedKeys
  readonly writeOut: (lines: Uint8Array) => void
  readonly writeError: (lines: Uint8Array) => void
}

/** How a process ended, or why it could not be started. */
export type End = { readonly code: number | null; readonly how: string }

/** Starts our own program. If files or memory are exhausted, it returns a process that ended at once. */
export function startProcess(
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
