import type { Poller } from '../base/follow/poller.ts'
import type { Report } from '../base/model/event.ts'
import type { SocketSource } from '../envoy/transport.ts'

/** What every part that is opened needs; `closing` is closed in the reverse order. */
export type StartContext = {
  readonly closing: AsyncDisposable[]
  /** The pollers of everything but the policies; readiness shows their problems. */
  readonly followed: Poller[]
  readonly report: Report
  readonly pollMs: number
  /** Which of several workers this process is; `undefined` when it is alone. */
  readonly worker?: Worker | undefined
}

/** One of the processes that decide behind the same listeners. */
export type Worker = {
  /** From 1; the same again for the process that takes its place. */
  readonly number: number
  /** Where a listener's connections come from, by its place in the configuration. */
  readonly socketsFor: (listener: number) => SocketSource
}

/** Files that the configuration names cannot be used; `problems` has each of them. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code = 'start_failed'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** Closes what was opened, in the reverse order, once. */
export async function closeAll(closing: AsyncDisposable[]): Promise<void> {
  for (const part of closing.splice(0).toReversed()) await part[Symbol.asyncDispose]()
}

/** How long what is in flight gets once connections are asked to move on. */
export const drainGraceMs = 5000
