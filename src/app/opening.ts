import type { Report } from '../model/event.ts'

/** What every part that is opened needs; `closing` is closed in the reverse order. */
export type Opening = {
  readonly closing: AsyncDisposable[]
  readonly report: Report
  readonly pollMs: number
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
