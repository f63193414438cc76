import type { Caller } from '../base/model/caller.ts'
import type { Chain, Subject } from '../base/model/chain.ts'
import { type Deny, deny, isDeny } from '../base/model/decision.ts'
import type { SpiffeId } from '../base/model/spiffe-id.ts'
import type { Target } from '../base/model/target.ts'
import { hintFor } from '../base/text/did-you-mean.ts'
import { show } from '../base/text/show.ts'
import { judge, type Permission } from '../decision/check/judge.ts'
import { type Catalog, type CatalogService, serviceAt } from '../policy/catalog/catalog.ts'
import { targetOf } from '../policy/catalog/target.ts'
import type { Revision } from '../policy/revision/revision.ts'

/** A described request. Nothing about it is proven: no signature, time or holder. */
export type Situation = {
  /** An ingress peer is never judged, so it needs no name. */
  readonly caller: SpiffeId | 'ingress'
  /** The user; `undefined` if no chain is presented. */
  readonly subject: Pick<Subject, 'issuerName' | 'id' | 'groups'> | undefined
  /** The actors before the caller, in the order in which they acted. */
  readonly actors: readonly SpiffeId[]
  readonly scopes: readonly string[]
  readonly isRecovered: boolean
  /** A service's name, or an address of it. */
  readonly service: string
  readonly method: string
  readonly path: string
  readonly isUpgrade: boolean
}

/** The inputs of `judge`. */
export type Matter = { readonly caller: Caller; readonly chain: Chain; readonly target: Target }

/** The outcome of a situation. `matter` is absent if it was refused before the policies were asked. */
export type Verdict = {
  readonly decision: Permission | Deny
  readonly matter: Matter | undefined
}

/** Judges a described request like a live check. */
export function judgeSituation(situation: Situation, revision: Revision): Verdict {
  const matter = toMatter(situation, revision.catalog)
  return isDeny(matter)
    ? { decision: matter, matter: undefined }
    : { decision: judge(matter.caller, matter.chain, matter.target, revision), matter }
}

/** Returns the inputs of `judge`, or why the request is refused before. */
export function toMatter(situation: Situation, catalog: Catalog): Matter | Deny {
  const service = lookUp(situation.service, catalog)
  if (service === undefined) {
    const hint = hintFor(situation.service, catalog.byName.keys())
    return deny(
      'service_unknown',
      `the catalog has no service ${show(situation.service)}, or several; ${hint}`,
    )
  }
  const target = targetOf(service, situation)
  if (isDeny(target)) return target
  const isIngress = situation.caller === 'ingress'
  const id = situation.caller === 'ingress' ? service.waypoint : situation.caller
  const caller = { id, provenBy: 'xfcc', waypoint: service.waypoint, isIngress } as const
  return { caller, chain: toChain(situation), target }
}

/** Finds a service. `records`, `records:8080` and `records.hospital.svc.cluster.local:8080` can all name the same one. */
export function lookUp(place: string, catalog: Catalog): CatalogService | undefined {
  const exact = catalog.byName.get(place) ?? serviceAt(catalog, place)
  if (exact !== undefined) return exact
  const [host = '', port] = place.split(':')
  const named = catalog.byName.get(host)
  const near = catalog.services.filter(
    (service) =>
      service === named ||
      service.addresses.some((address) => !address.isIp && address.host.startsWith(`${host}.`)),
  )
  const fitting = near.filter(
    ({ addresses }) => port === undefined || addresses.some((address) => String(address.port) === port),
  )
  return fitting.length === 1 ? fitting[0] : undefined
}

// No decision reads a chain's times, ids or digest after it was proven.
const proof = { issuedAt: 0, expiresAt: 0, rootIssuedAt: 0, ceiling: 0, authTime: undefined }

function toChain({ caller, subject, actors, scopes, isRecovered }: Situation): Chain {
  if (subject === undefined) return { kind: 'none' }
  const whole = { ...subject, issuer: '' }
  if (caller === 'ingress') return { kind: 'first-hop', subject: whole, scopes, ...proof }
  const latestFirst = actors.toReversed()
  const ids = { txn: '', jti: '', digest: '' }
  return {
    kind: 'delegated',
    subject: whole,
    actors: latestFirst,
    selfCalls: 0,
    scopes,
    isRecovered,
    ...ids,
    ...proof,
  }
}
