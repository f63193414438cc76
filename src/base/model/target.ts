import type { EntityUid } from './entity-uid.ts'
import type { SpiffeId } from './spiffe-id.ts'

/** The part of a catalog service that decisions need. */
export type Service = {
  readonly name: string
  /** The receiver: the `aud` of a chain that is minted for it. */
  readonly spiffeId: SpiffeId
  /** Its waypoint, the only proxy that may vouch for its callers. */
  readonly waypoint: SpiffeId
  /** True if a first chain may be minted for it. */
  readonly isEntry: boolean
  /** True if the token of the user stays on its first hops, because something in front of the service verifies it again. */
  readonly keepsUserToken?: boolean | undefined
  /** True if it calls other services. Only then it gets a chain. */
  readonly forwards: boolean
  readonly chainless: readonly SpiffeId[]
  /** Scopes that survive the hop to this service; `undefined` keeps all. */
  readonly scopes: readonly string[] | undefined
  readonly hopLifetimeSeconds: number
  /** Request headers to remove in addition to the fixed ones. */
  readonly removeHeaders?: readonly string[] | undefined
}

/** The value of one `{placeholder}`, decoded once. */
export type Param = { readonly name: string; readonly value: string }

/** The target of a request: one action on one resource of one service. */
export type Target = {
  readonly service: Service
  readonly action: EntityUid
  readonly resource: EntityUid
  /**
   * One for each `{placeholder}` of the route. It is a list, because many are cached and a `Map` would be the largest
   * part of an entry.
   */
  readonly params: readonly Param[]
  readonly requiredScope: string | undefined
  readonly method: string
  /** Without the query. */
  readonly path: string
}
