import type { SpiffeId } from './spiffe-id.ts'

/** A user as an identity provider knows them. `issuerName` is our name for that provider, `issuer` its URL. */
export type Subject = {
  readonly issuerName: string
  readonly issuer: string
  readonly id: string
  readonly groups: readonly string[]
}

/** A delegation chain that was signed by us, is in time, and whose presenter is its holder. Only `chain/verify.ts` makes it. */
export type DelegatedChain = {
  readonly kind: 'delegated'
  readonly subject: Subject
  /** Who acted before the caller, latest first (RFC 8693 `act`, outermost first). */
  readonly actors: readonly SpiffeId[]
  /** Calls of an agent to itself that added no actor. */
  readonly selfCalls: number
  readonly txn: string
  readonly jti: string
  readonly scopes: readonly string[]
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** When the chain began and until when any of its hops may live; seconds since the epoch. */
  readonly rootIssuedAt: number
  readonly ceiling: number
  readonly authTime: number | undefined
  /** Whether some hop lost the header and the chain was found again by a correlation id: weaker proof, for policies to weigh. */
  readonly isRecovered: boolean
  /** base64url SHA-256 of this token's signing input; a child's `par_hash`. */
  readonly digest: string
}

/** The first hop: a user's own token, presented by an ingress peer. Nobody has acted yet. */
export type FirstHop = {
  readonly kind: 'first-hop'
  readonly subject: Subject
  /** The groups of a token of which `groupsAllow` names none. They are for reasons alone: no policy sees them. */
  readonly unlistedGroups?: readonly string[]
  readonly scopes: readonly string[]
  /** When the user's token was issued and ends; seconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
  readonly authTime: number | undefined
}

/** On whose behalf a request comes. `none`: no chain was presented, which never means more authority. */
export type Chain = DelegatedChain | FirstHop | { readonly kind: 'none' }
