import type { PeerSource } from '../../base/model/caller.ts'
import type { Subject } from '../../base/model/chain.ts'
import type { DenyCode, PolicyReference, PrincipalResult, Role } from '../../base/model/decision.ts'
import type { EntityUid } from '../../base/model/entity-uid.ts'
import { toSafeJson } from '../../base/text/json-line.ts'

/** An actor of a chain and its proof: `inherited` from the signed chain. `caller` is proven by mTLS. */
export type RecordedActor = { readonly id: string; readonly proven: 'inherited' }

/** The chain, as recorded. Times are seconds since the epoch. */
export type RecordedChain =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'first-hop'
      readonly subject: Subject
      readonly scopes: readonly string[]
      readonly issuedAt: number
      readonly expiresAt: number
      readonly authTime?: number | undefined
    }
  | {
      readonly kind: 'delegated'
      readonly subject: Subject
      readonly actors: readonly RecordedActor[]
      /** The number of calls of an agent to itself that added no actor; absent if none. */
      readonly self?: number | undefined
      readonly scopes: readonly string[]
      readonly expiresAt: number
      readonly rootIssuedAt: number
      readonly ceiling: number
      readonly authTime?: number | undefined
      /** Present if some hop lost the header and the chain was recovered. */
      readonly recovered?: true | undefined
      readonly digest: string
    }

/** Cedar's answer for one principal. */
export type RecordedResult = {
  readonly principal: EntityUid
  readonly role: Role
  readonly outcome: PrincipalResult['outcome']
  readonly policies: readonly PolicyReference[]
  readonly errors: readonly { readonly policy: PolicyReference; readonly message: string }[]
}

/**
 * One decision, version 1. It is the evidence of who asked for what on whose behalf, and holds all inputs of `judge`. It
 * never holds a token.
 */
export type DecisionRecord = {
  readonly version: 1
  readonly kind: 'decision'
  readonly decisionId: string
  /** The start of the check; ISO 8601, UTC. */
  readonly time: string
  readonly durationMicros: number
  readonly traceId?: string | undefined
  /** `observed`: passed on, although `code` would have refused it. */
  readonly outcome: 'allow' | 'observed' | 'deny'
  readonly code?: DenyCode | undefined
  readonly reason?: string | undefined
  readonly txn?: string | undefined
  readonly jtiIn?: string | undefined
  /** The minted child: its id, its parent's digest, and its signing key. */
  readonly jtiOut?: string | undefined
  readonly parHash?: string | undefined
  readonly kid?: string | undefined
  readonly caller?:
    | {
        readonly id: string
        readonly provenBy: PeerSource
        readonly waypoint: string
        readonly isIngress: boolean
      }
    | undefined
  readonly service?: { readonly name: string; readonly spiffeId: string } | undefined
  readonly request?:
    | {
        readonly method: string
        readonly path: string
        readonly destinationAddress: string
        readonly host: string
      }
    | undefined
  readonly target?:
    | {
        readonly action: EntityUid
        readonly resource: EntityUid
        readonly params: Readonly<Record<string, string>>
        readonly requiredScope?: string | undefined
      }
    | undefined
  readonly chain?: RecordedChain | undefined
  readonly results: readonly RecordedResult[]
  /** All principals that were refused, with the ids of the responsible policies. */
  readonly deniedBy: readonly {
    readonly principal: EntityUid
    readonly role: Role
    readonly policies: readonly string[]
  }[]
  readonly policyRevision?: string | undefined
  /** SHA-256 of the revision's files, in hexadecimal. */
  readonly policyDigest?: string | undefined
  readonly engine?: string | undefined
  /** Present if the user's id is a keyed hash; see `audit.pseudonyms`. */
  readonly pseudonymized?: true | undefined
  /** Fields that were too long. A cut text ends with the original's length and SHA-256. */
  readonly truncated: readonly string[]
}

/** The record as one line of NDJSON, newline included. */
export function formatRecord(record: DecisionRecord): string {
  return `${toSafeJson(JSON.stringify(record))}\n`
}
