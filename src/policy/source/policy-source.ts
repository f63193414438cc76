import type { Problem } from '../../base/document/problem.ts'
import type { PolicyFiles } from './policy-files.ts'

/** The content that a source wants to serve, not proven yet. */
export type Found = {
  readonly kind: 'found'
  readonly files: PolicyFiles
  /** The revision to which the source is pinned, for `/readyz`. */
  readonly pinned: string | undefined
  /** Notices for the operator, such as a rewritten history. */
  readonly notices: readonly string[]
}

// The displayed length of a revision's id.
const shownLength = 12

/** Returns the notices about a result, the pin first. */
export function noticesOf({ pinned, notices }: Found): readonly string[] {
  if (pinned === undefined) return notices
  return [`PINNED to policy revision ${pinned.slice(0, shownLength)}, until the pin is released`, ...notices]
}

/** Why a source has no files to serve. */
export type Unusable = {
  /** `failed`: a reason outside of the content, so the next poll tries again. `refused`: the content must not serve. */
  readonly kind: 'failed' | 'refused'
  readonly problems: readonly Problem[]
}

/** A source of policy revisions. */
export type PolicySource = {
  /** The source's name in messages. */
  readonly name: string
  /**
   * Returns the last served revision and its last confirmation, from this machine only; `undefined` if nothing is stored.
   */
  readonly recall: () => Promise<
    { readonly found: Found | Unusable; readonly confirmedAtMs: number } | undefined
  >
  /** Polls the source. */
  readonly look: () => Promise<Found | Unusable>
  /** Stores the serving revision for the next start. */
  readonly accept: (found: Found, nowMs: number) => Promise<void>
  /** The interval between polls; the poller varies it. */
  readonly intervalMs: number
  /** Aborts a running poll. */
  readonly close: () => void
}

/** Returns a failure for one reason outside of the content. */
export function failed(file: string, message: string): Unusable {
  return { kind: 'failed', problems: [{ file, message }] }
}

/** Returns a refusal for one problem of the content. */
export function refused(file: string, message: string): Unusable {
  return { kind: 'refused', problems: [{ file, message }] }
}
