import type { Problem } from '../../base/document/problem.ts'
import {
  type EntityUid,
  entityKey,
  formatEntityUid,
  isActionType,
  toEntityUid,
} from '../../base/model/entity-uid.ts'
import { isProblems } from '../../base/model/problems.ts'
import { splitIssuer } from '../../base/text/issuer-name.ts'
import { mistypedName, nearestName } from '../../base/text/near-name.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { methods } from '../catalog/route.ts'
import { connect } from '../catalog/target.ts'
import { entitiesFile } from '../cedar/entities.ts'
import { homesOf } from '../cedar/kin.ts'
import { type Literal, literalsOf } from '../cedar/literals.ts'
import type { Policy } from '../cedar/policies.ts'
import { reachableFrom } from '../cedar/reachable.ts'
import { type LoadedParts, loadParts } from '../revision/load.ts'
import type { Revision } from '../revision/revision.ts'

/** A name that the repository does not know, so that nothing matches it. Such a revision still serves. */
export type UnknownName = Problem & { readonly policy: Policy | undefined }

/** Each hint compares a name with all known names, and more hints would not be read. */
const maxHints = 200

/** Returns every well-formed name in policies and entities.json that neither catalog nor entities.json knows. */
export function unknownNames(revision: Revision): readonly UnknownName[] {
  const parts = loadParts(revision, { hasServed: true })
  if (isProblems(parts)) return []
  const { catalog, policies, entities, files } = parts
  const literals = literalsOf(policies, entities, files.get(entitiesFile) ?? '')
  const known = knownNames(parts)
  const issuers = commonIssuers(literals)
  let hints = 0
  const unknown = literals.flatMap(({ uid, place, of, policy }): readonly UnknownName[] => {
    // A group may be described before it has members.
    if (policy === undefined && uid.type !== 'Agent') return []
    const found = known(uid.type)
    const stranger =
      found !== undefined && !found.names.has(uid.id)
        ? { why: found.why, nearest: hints++ < maxHints ? nearestName(uid.id, found.names) : undefined }
        : rareIssuer(uid, issuers)
    if (stranger === undefined) return []
    const hint = stranger.nearest === undefined ? '' : `; did you mean \`${stranger.nearest}\`?`
    return [{ ...place(), policy, message: `${of}: ${formatEntityUid(uid)}: ${stranger.why}${hint}` }]
  })
  return [...oddTrustDomains(catalog), ...unknown]
}

/** The possible ids of one type's entities, and the consequence of an unknown id. */
type Known = { readonly names: ReadonlySet<string>; readonly why: string }

/** By type; `undefined` for types whose entities the repository does not know completely. */
function knownNames({ catalog, entities, families }: LoadedParts): (type: string) => Known | undefined {
  const { services } = catalog
  const agents = services.map(({ spiffeId }) => spiffeId)
  const homes = agents.flatMap(homesOf)
  const idsOf = (type: string) => new Set(homes.filter((home) => home.type === type).map(({ id }) => id))
  const members = [...entities.values()].filter(({ uid }) => toEntityUid(uid).type === 'Agent')
  const above = reachableFrom(
    members.flatMap(({ uid, parents }) => [uid, ...parents].map(toEntityUid)),
    entities,
  )
  const groups = [...above.values()].filter(({ type }) => type === 'AgentGroup').map(({ id }) => id)
  const actions = askedActions(catalog).flatMap((action) => [
    action,
    ...(families.actions.get(entityKey(action))?.values() ?? []),
  ])
  const byType = new Map<string, Known>([
    [
      'Agent',
      { names: new Set(agents.map(({ uri }) => uri)), why: 'no service of the catalog runs as this' },
    ],
    [
      'Autonomous',
      {
        names: new Set(services.flatMap(({ chainless }) => chainless.map(({ uri }) => uri))),
        why: 'no service of the catalog lists this in `chainless`',
      },
    ],
    ['AgentGroup', { names: new Set(groups), why: 'entities.json puts no agent into it' }],
    ['Namespace', { names: idsOf('Namespace'), why: 'no service of the catalog runs in it' }],
    ['TrustDomain', { names: idsOf('TrustDomain'), why: 'no service of the catalog runs in it' }],
    ['Service', { names: new Set(catalog.byName.keys()), why: 'the catalog has no such service' }],
  ])
  const actionsOf = (type: string) => new Set(actions.filter((one) => one.type === type).map(({ id }) => id))
  return (type) =>
    isActionType(type) ? { names: actionsOf(type), why: 'no route of the catalog asks it' } : byType.get(type)
}

function askedActions({ services }: Catalog): readonly EntityUid[] {
  return services.flatMap(({ isTcp, routes }) => {
    if (isTcp) return [connect]
    return routes === undefined
      ? methods.map((method) => ({ type: 'Action', id: method }))
      : routes.map(({ action }) => action)
  })
}

/** Counts how often each identity provider is named, because only the configuration knows which exist. */
function commonIssuers(literals: readonly Literal[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { uid } of literals) {
    const issuer = issuerOf(uid)
    if (issuer !== undefined) counts.set(issuer, (counts.get(issuer) ?? 0) + 1)
  }
  return counts
}

/** Finds a provider that is named less often than another one with nearly the same name. */
function rareIssuer(
  uid: EntityUid,
  issuers: ReadonlyMap<string, number>,
): { readonly why: string; readonly nearest: string | undefined } | undefined {
  const issuer = issuerOf(uid)
  if (issuer === undefined || issuers.size < 2) return undefined
  const count = issuers.get(issuer) ?? 0
  const more = [...issuers].filter(([, other]) => other > count).map(([name]) => name)
  const nearest = mistypedName(issuer, more)
  return nearest === undefined ? undefined : { why: 'few policies name this identity provider', nearest }
}

function issuerOf({ type, id }: EntityUid): string | undefined {
  return type === 'User' || type === 'Group' ? splitIssuer(id)?.issuer : undefined
}

/** Finds a trust domain in the catalog that is nearly the domain of more services. */
function oddTrustDomains({ services }: Catalog): readonly UnknownName[] {
  const ids = services.flatMap((service) =>
    [service.spiffeId, service.waypoint, ...service.chainless].map((id) => ({ id, service })),
  )
  const counts = new Map<string, number>()
  for (const { id } of ids) counts.set(id.trustDomain, (counts.get(id.trustDomain) ?? 0) + 1)
  return ids.flatMap(({ id, service }) => {
    const count = counts.get(id.trustDomain) ?? 0
    const nearest = mistypedName(
      id.trustDomain,
      [...counts].filter(([, other]) => other > count).map(([name]) => name),
    )
    if (nearest === undefined) return []
    const message = `service \`${service.name}\`: \`${id.uri}\`: few IDs of the catalog are in this trust domain; did you mean \`${nearest}\`?`
    return [{ file: 'services.yaml', line: service.line, policy: undefined, message }]
  })
}
