import type { PolicyFiles } from './directory-source.ts'
import type { Problem } from './problem.ts'

/** What a source says shall serve, before anybody knows whether it can. */
export type Found = {
  readonly kind: 'found'
  readonly files: PolicyFiles
  /** The revision to which the source is pinned, so that whoever looks sees it. */
  readonly pinned: string | undefined
  /** What an operator should know all the same, such as a history that was rewritten. */
  readonly notices: readonly string[]
}

/** Why a source says nothing: it could not be asked, or what it says must not serve, whatever is in it. */
export type Refused = {
  readonly kind: 'unreachable' | 'refused'
  readonly problems: readonly Problem[]
}

/** Where policy revisions come from. */
export type PolicySource = {
  /** What a message calls it. */
  readonly name: string
  /** What served last and when the source last confirmed it, from this machine alone; `undefined` when nothing is kept. */
  readonly recall: () => Promise<
    { readonly found: Found | Refused; readonly confirmedAtMs: number } | undefined
  >
  /** Asks the source. */
  readonly look: () => Promise<Found | Refused>
  /** Remembers what serves, for the next start. */
  readonly accept: (found: Found, nowMs: number) => Promise<void>
  /** Until the next look; differs from look to look, so that replicas do not ask as one. */
  readonly nextLookMs: () => number
  /** Ends a look that is under way. */
  readonly close: () => void
}
