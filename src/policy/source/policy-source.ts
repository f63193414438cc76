import type { Problem } from '../../base/document/problem.ts'
import type { PolicyFiles } from './policy-files.ts'

/** What a source says shall serve, before anybody knows whether it can. */
export type Found = {
  readonly kind: 'found'
  readonly files: PolicyFiles
  /** The revision to which the source is pinned, for `/readyz`. */
  readonly pinned: string | undefined
  /** What an operator should know all the same, such as a history that was rewritten. */
  readonly notices: readonly string[]
}

// Of a revision's id, where a person reads it.
const shownLength = 12

/** What an operator should know of what was found, a pin first. */
export function noticesOf({ pinned, notices }: Found): readonly string[] {
  if (pinned === undefined) return notices
  return [`PINNED to policy revision ${pinned.slice(0, shownLength)}, until the pin is released`, ...notices]
}

/** Why a source has no files to serve. */
export type Unusable = {
  /** `failed`: for a reason outside of the content, so that the next look tries again; `refused`: the content must not serve. */
  readonly kind: 'failed' | 'refused'
  readonly problems: readonly Problem[]
}

/** Where policy revisions come from. */
export type PolicySource = {
  /** What a message calls it. */
  readonly name: string
  /** What served last and when the source last confirmed it, from this machine alone; `undefined` when nothing is kept. */
  readonly recall: () => Promise<
    { readonly found: Found | Unusable; readonly confirmedAtMs: number } | undefined
  >
  /** Asks the source. */
  readonly look: () => Promise<Found | Unusable>
  /** Remembers what serves, for the next start. */
  readonly accept: (found: Found, nowMs: number) => Promise<void>
  /** From the end of one poll to the next; the poller varies it. */
  readonly intervalMs: number
  /** Ends a look that is under way. */
  readonly close: () => void
}

/** One reason outside of the content why nothing was found. */
export function failed(file: string, message: string): Unusable {
  return { kind: 'failed', problems: [{ file, message }] }
}

/** One thing in the content for which it must not serve. */
export function refused(file: string, message: string): Unusable {
  return { kind: 'refused', problems: [{ file, message }] }
}
