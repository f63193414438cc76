import type { Subject } from './chain.ts'
import type { Role } from './decision.ts'
import type { SpiffeId } from './spiffe-id.ts'
import type { Target } from './target.ts'

/** One principal of a chain, as passed to Cedar. */
export type Principal =
  | { readonly kind: 'agent'; readonly id: SpiffeId }
  | { readonly kind: 'user'; readonly subject: Subject }
  | { readonly kind: 'autonomous'; readonly id: SpiffeId }

/** One question to the policies: may this principal, in this role, do what the target says? */
export type Query = {
  readonly principal: Principal
  readonly role: Role
  /** The next actor, to whom this principal delegated. */
  readonly delegatee: SpiffeId | undefined
  readonly chain: {
    /** All actors, the caller first. */
    readonly actors: readonly SpiffeId[]
    readonly subject: Subject | undefined
    readonly scopes: readonly string[]
    readonly isRecovered: boolean
  }
  readonly target: Target
}
