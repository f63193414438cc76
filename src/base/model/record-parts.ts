import type { Caller } from './caller.ts'
import type { Chain } from './chain.ts'
import type { CheckInput } from './check-input.ts'
import type { Deny, PrincipalResult } from './decision.ts'
import type { Service, Target } from './target.ts'

/** A refusal as far as a record has it. */
export type RecordedDeny = Omit<Deny, 'issuer' | 'retryAfterSeconds'>

/** The results of a check for its record, as far as the check came. */
export type RecordParts = {
  readonly decisionId: string
  readonly timeMs: number
  readonly durationMicros: number
  readonly decision: { readonly kind: 'allow'; readonly results: readonly PrincipalResult[] } | RecordedDeny
  /** True if the denial was only recorded and the request passed on. */
  readonly isObserved?: boolean | undefined
  readonly policyRevision?: string | undefined
  readonly policyDigest?: string | undefined
  /** Name and version of the policy engine. */
  readonly engine?: string | undefined
  readonly input?: Pick<CheckInput, 'method' | 'path' | 'host' | 'destinationAddress' | 'headers'> | undefined
  readonly caller?: Caller | undefined
  readonly chain?: Chain | undefined
  /**
   * The cache key of the question to the policies; with the revision it determines the results. `undefined` if they were
   * not asked, or for a chain that begins here.
   */
  readonly questionKey?: string | undefined
  /** For a request to a known service with an unknown route. */
  readonly service?: Pick<Service, 'name' | 'spiffeId'> | undefined
  readonly target?: Target | undefined
  /** The minted child; `parHash` is absent at the first hop. */
  readonly onward?:
    | {
        readonly jti: string
        readonly txn: string
        readonly kid: string
        readonly parHash?: string | undefined
      }
    | undefined
}
