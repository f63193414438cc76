import type { Caller } from './caller.ts'
import type { Chain } from './chain.ts'
import type { CheckInput } from './check-input.ts'
import type { Deny, PrincipalResult } from './decision.ts'
import type { Service, Target } from './target.ts'

/** What a check knows when it ends, each as far as the line came. */
export type RecordParts = {
  readonly decisionId: string
  readonly timeMs: number
  readonly durationMicros: number
  readonly decision: { readonly kind: 'allow'; readonly results: readonly PrincipalResult[] } | Deny
  /** Whether the denial was recorded only, and the request passed on. */
  readonly isObserved?: boolean | undefined
  readonly policyRevision?: string | undefined
  readonly policyDigest?: string | undefined
  /** Name and version of the policy engine. */
  readonly engine?: string | undefined
  readonly input?: Pick<CheckInput, 'method' | 'path' | 'host' | 'destinationAddress' | 'headers'> | undefined
  readonly caller?: Caller | undefined
  readonly chain?: Chain | undefined
  /**
   * Says all of the question that policies were asked, with the revision: checks of one key have equal results. `undefined` when
   * they were not asked, or about a chain that begins here.
   */
  readonly questionKey?: string | undefined
  /** For a request whose service is known though its route is not. */
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
