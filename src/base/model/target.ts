import type { EntityUid } from './entity-uid.ts'
import type { SpiffeId } from './spiffe-id.ts'

/** A service of the catalog, as far as a decision needs it. */
export type Service = {
  readonly name: string
  /** Who receives: the `aud` of the chain that is minted for it. */
  readonly spiffeId: SpiffeId
  /** The proxy in front of it, the only one that may vouch for its callers. */
  readonly waypoint: SpiffeId
  /** May the first chain be minted towards it? */
  readonly isEntry: boolean
  /** Does it call onward? Only then it gets a chain of its own. */
  readonly forwards: boolean
  readonly chainless: readonly SpiffeId[]
  /** Scopes that survive the hop to this service; `undefined` keeps all. */
  readonly scopes: readonly string[] | undefined
  readonly hopLifetimeSeconds: number
  /** Request headers that are removed besides those that always are. */
  readonly removeHeaders?: readonly string[] | undefined
}

/** What stands in place of one `{placeholder}`, decoded once. */
export type Param = { readonly name: string; readonly value: string }

/** What is wanted: one action on one resource of one service. */
export type Target = {
  readonly service: Service
  readonly action: EntityUid
  readonly resource: EntityUid
  /** One for each of the route's `{placeholders}`; a list, for many are kept, and a `Map` weighs more than all else. */
  readonly params: readonly Param[]
  readonly requiredScope: string | undefined
  readonly method: string
  /** Without the query. */
  readonly path: string
}
