import type { SpiffeId } from './spiffe-id.ts'

/** How a listener learns who calls. */
export type PeerSource = 'xfcc' | 'metadata' | 'principal'

/** Who calls, as mTLS proved it. */
export type Caller = {
  readonly id: SpiffeId
  readonly provenBy: PeerSource
  /** The proxy that vouches for it: `By=` or the local principal, in `principal` mode the TLS peer itself. */
  readonly waypoint: SpiffeId
  /** An ingress peer speaks for users, is never an actor and is never judged. */
  readonly isIngress: boolean
}
