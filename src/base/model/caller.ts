import type { SpiffeId } from './spiffe-id.ts'

/** The source of the caller's identity. */
export type PeerSource = 'xfcc' | 'metadata' | 'principal'

/** The caller, as proven by mTLS. */
export type Caller = {
  readonly id: SpiffeId
  readonly provenBy: PeerSource
  /** The proxy that vouches for the caller: `By=` or the local principal; in `principal` mode the TLS peer itself. */
  readonly waypoint: SpiffeId
  /** An ingress peer speaks for users. It is never an actor and never judged. */
  readonly isIngress: boolean
}
