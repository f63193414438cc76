import type { SpiffeId } from './spiffe-id.ts'

/** A user as known to an identity provider. `issuerName` is the configured name of that provider, `issuer` its URL. */
export type Subject = {
  readonly issuerName: string
  readonly issuer: string
  readonly id: string
  readonly groups: readonly string[]
}

/**
 * A delegation chain that we signed, that is valid now, and whose presenter is its holder. Only `chain/verify.ts` creates
 * it.
 */
export type DelegatedChain = {
  readonly kind: 'delegated'
  readonly subject: Subject
  /** The actors before the caller, latest first (RFC 8693 `act`, outermost first). */
  readonly actors: readonly SpiffeId[]
  /** Calls of an agent to itself that added no actor. */
  readonly selfCalls: number
  readonly txn: string
  readonly jti: string
  readonly scopes: readonly string[]
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** When the chain began, and the latest end of all its hops; seconds since the epoch. */
  readonly rootIssuedAt: number
  readonly ceiling: number
  readonly authTime: number | undefined
  /**
   * True if some hop lost the header and the chain was recovered by a correlation id. The proof is weaker, and policies
   * can weigh that.
   */
  readonly isRecovered: boolean
  /** base64url SHA-256 of this token's signing input; a child's `par_hash`. */
  readonly digest: string
}

/** The first hop: a user's own token from an ingress peer, before any actor. */
export type FirstHop = {
  readonly kind: 'first-hop'
  readonly subject: Subject
  /** The token's groups, if `groupsAllow` names none of them. Only for reasons: policies never see them. */
  readonly unlistedGroups?: readonly string[]
  readonly scopes: readonly string[]
  /** The user's token: its issue time and its end, in seconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
  readonly authTime: number | undefined
}

/** The authority behind a request. `none`: no chain was presented, which never means more authority. */
export type Chain = DelegatedChain | FirstHop | { readonly kind: 'none' }
