import type { Poller } from '../base/follow/poller.ts'
import type { Report } from '../base/model/event.ts'
import type { SocketSource } from '../envoy/transport.ts'
import type { OpenFeed } from './provider-keys/open-feed.ts'

/** The context for opening parts. `closing` is disposed in reverse order. */
export type StartContext = {
  readonly closing: AsyncDisposable[]
  /** The pollers of everything but the policies. Readiness shows their problems. */
  readonly followed: Poller[]
  readonly report: Report
  readonly pollMs: number
  /** Opens the keys of a provider that are fetched, here or by the primary. */
  readonly openFeed: OpenFeed
  /** The worker of this process; `undefined` without workers. */
  readonly worker?: Worker | undefined
}

/** One of the processes that decide behind the same listeners. */
export type Worker = {
  /** From 1. A restarted worker has the same number. */
  readonly number: number
  /** Returns the source of a listener's connections, by its position in the configuration. */
  readonly socketsFor: (listener: number) => SocketSource
}

/** Configured files cannot be used; `problems` lists each of them. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code = 'start_failed'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** Disposes the opened parts in reverse order, once. */
export async function closeAll(closing: AsyncDisposable[]): Promise<void> {
  for (const part of closing.splice(0).toReversed()) await part[Symbol.asyncDispose]()
}

/** The time for calls in flight after connections were asked to close. */
export const drainGraceMs = 5000
