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

/** What the configuration says to the checks of one listener. It never changes while the process runs. */
export type CheckSettings = {
  /** How the listener learns who calls, and so where to. */
  readonly peer: PeerSource
  readonly trustDomain: TrustDomain
  /** Whether Envoy has to prove itself with a certificate. */
  readonly isMutualTls: boolean
  /** The header in which a chain travels. */
  readonly chainHeader: string
  /** By the SPIFFE ID of an ingress peer, the names of the identity providers whose users it may bring. */
  readonly ingress: ReadonlyMap<string, ReadonlySet<string>>
  readonly carriesUserToken: UserTokenFinder
  readonly trust: Omit<ChainTrust, 'keys'>
  /** By an identity provider's URL, the groups that a chain may bring from it. */
  readonly groupsAllowed: ReadonlyMap<string, ReadonlySet<string>>
  readonly minting: Omit<MintOptions, 'key'>
  readonly observing: Observing | undefined
}

/** All that a check knows beside its request. `identify`, `ask`, `judge` and `extend` read nothing else. */
export type Facts = {
  readonly settings: CheckSettings
  readonly revision: Revision
  readonly keys: ChainKeys
  /** All configured identity providers. */
  readonly issuers: readonly UserIssuer[]
  readonly revocations: Revocations
  /** Chains that callees may have lost; `undefined` unless the configuration asks for it. */
  readonly recovery: Pick<Recovery, 'find'> | undefined
  /** The wall clock of the whole check, milliseconds since the epoch. */
  readonly nowMs: number
  readonly memories: Memories
  /** A new UUID, for a chain that is minted. */
  readonly createId: () => string
  /** From 0 to 1, so that children of one moment are not all minted anew in another. */
  readonly random: () => number
  /** Times the steps of a check that is traced. */
  readonly stopwatch: Stopwatch | undefined
}
