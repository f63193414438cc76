import type { PeerSource } from '../../base/model/caller.ts'
import type { TrustDomain } from '../../base/model/spiffe-id.ts'
import type { Revision } from '../../policy/revision/revision.ts'
import type { MintOptions } from '../chain/extend.ts'
import type { ChainKeys } from '../chain/keys.ts'
import type { Recovery } from '../chain/recovery.ts'
import type { Revocations } from '../chain/revocations.ts'
import type { ChainTrust } from '../chain/verify.ts'
import type { UserTokenFinder } from '../identity/agent-token.ts'
import type { UserIssuer } from '../identity/user-issuer.ts'
import type { Memories } from './memories.ts'
import type { Observing } from './observing.ts'
import type { Stopwatch } from './stopwatch.ts'

/** The configuration for the checks of one listener. It never changes while the process runs. */
export type CheckSettings = {
  /** The source of the caller's identity, and so of the destination. */
  readonly peer: PeerSource
  readonly trustDomain: TrustDomain
  /** Trust domains that providers write in place of ours in the names of services. Peers never have one. */
  readonly trustDomainAliases: readonly TrustDomain[]
  /** True if Envoy must present a client certificate. */
  readonly isMutualTls: boolean
  /** The header that carries a chain. */
  readonly chainHeader: string
  /** The identity providers whose users each ingress peer may bring; the key is the SPIFFE ID of the peer. */
  readonly ingress: ReadonlyMap<string, ReadonlySet<string>>
  readonly carriesUserToken: UserTokenFinder
  readonly trust: Omit<ChainTrust, 'keys'>
  /** The groups that a chain may take from each identity provider; the key is its issuer URL. */
  readonly groupsAllowed: ReadonlyMap<string, ReadonlySet<string>>
  readonly minting: Omit<MintOptions, 'key'>
  readonly observing: Observing | undefined
}

/** All inputs of a check besides its request. `identify`, `ask`, `judge` and `extend` read nothing else. */
export type Facts = {
  readonly settings: CheckSettings
  readonly revision: Revision
  readonly keys: ChainKeys
  /** All configured identity providers. */
  readonly issuers: readonly UserIssuer[]
  readonly revocations: Revocations
  /** Chains that callees may have lost; `undefined` unless configured. */
  readonly recovery: Pick<Recovery, 'find'> | undefined
  /** The wall clock of the whole check, milliseconds since the epoch. */
  readonly nowMs: number
  readonly memories: Memories
  /** The needs for a proof that were met in this check, by their keys. */
  readonly proofs: ReadonlySet<string>
  /** Returns a new UUID for a minted chain. */
  readonly createId: () => string
  /** Returns 0 to 1. It spreads the renewal of children that were minted at the same time. */
  readonly random: () => number
  /** Times the steps of a traced check. */
  readonly stopwatch: Stopwatch | undefined
}
