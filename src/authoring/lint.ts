import { groupBy } from '../base/collections/group-by.ts'
import { type EntityUid, formatEntityUid, isSameEntity } from '../base/model/entity-uid.ts'
import { fewNames, listFew } from '../base/text/few.ts'
import { nearestName } from '../base/text/near-name.ts'
import type { CatalogService } from '../policy/catalog/catalog.ts'
import { connect } from '../policy/catalog/target.ts'
import type { Policy } from '../policy/cedar/policies.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { coveredPolicies } from '../policy/rules/policy-covers.ts'
import {
  allRoles,
  namedInScope,
  namedRoles,
  principalTypesOf,
  rolesByType,
  rolesOf,
} from '../policy/rules/policy-facts.ts'
import { policyWarnings } from '../policy/rules/policy-warnings.ts'
import { unknownNames } from '../policy/rules/unknown-names.ts'
import { findLeftOutChains } from './lint-chainless.ts'
import { type Finding, toNameFinding, toPolicyFinding, toServiceFinding } from './lint-finding.ts'

/** Checks a loaded revision; findings are in file order. */
export function lint(revision: Revision): readonly Finding[] {
  const found = [
    ...revision.policies.flatMap(permitsWithoutRole),
    ...findLeftOutChains(revision),
    ...neverMatching(revision),
    ...unknownNames(revision).map(toNameFinding),
    ...shadowed(revision),
    ...sharedAccounts(revision.catalog.services),
  ]
  return found.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

/** An autonomous caller acts for nobody, so only an explicit permit should cover it. */
function permitsWithoutRole(policy: Policy): readonly Finding[] {
  const { json, annotations } = policy
  const isMeant = (annotations['blanket'] ?? '') !== '' || json.effect !== 'permit'
  if (isMeant || json.principal.op !== 'All' || !rolesOf(policy).includes('autonomous')) return []
  return [
    toPolicyFinding(
      'permit-without-role',
      policy,
      'permits every caller, an autonomous agent too; add `when { context.role == … }`, name the principal, or say `@blanket("why")`',
    ),
  ]
}

function neverMatching(revision: Revision): readonly Finding[] {
  const warned = new Map(policyWarnings(revision).map(({ id, message }) => [id, message]))
  return revision.policies.flatMap((policy) => {
    const why = impossible(policy, revision) ?? warned.get(policy.id)
    return why === undefined ? [] : [toPolicyFinding('never-matches', policy, why)]
  })
}

/** Finds policies that cannot match because of the catalog or the vocabulary, beyond the validator's knowledge. */
function impossible(policy: Policy, { catalog }: Revision): string | undefined {
  const { action, service } = namedInScope(policy)
  const reached = service === undefined ? undefined : catalog.byName.get(service)
  // A name that the catalog lacks is a separate finding.
  const isUnasked = action !== undefined && reached !== undefined && !asks(reached, action)
  if (isUnasked && catalog.services.some((candidate) => asks(candidate, action))) {
    return `never matches: no route of \`${reached.name}\` asks \`${formatEntityUid(action)}\``
  }
  return impossibleRole(policy)
}

/** Returns the role that a policy demands but in which its principals are never asked about. */
function impossibleRole(policy: Policy): string | undefined {
  const types = principalTypesOf(policy)
  if (types.length === 0) return 'never matches: requests have no principal of the type in its scope'
  const demanded = rolesOf(policy)
  const possible = types.flatMap((type) => rolesByType[type])
  if (demanded.some((role) => possible.includes(role))) return undefined
  const named = namedRoles(policy)
  const unknown = named.filter((role) => !allRoles.some((known) => known === role))
  if (unknown.length > 0) {
    const nearest = nearestName(unknown[0] ?? '', allRoles)
    const hint = nearest === undefined ? '' : `, did you mean \`${nearest}\`?`
    return `never matches: there is no role ${quote(unknown)}; the roles are ${quote(allRoles)}${hint}`
  }
  if (demanded.length === 0) return `never matches: it demands the roles ${quote(named)} at once`
  return `never matches: it demands the role ${quote(demanded)}, and ${quote(types)} only ever has ${quote(possible)}`
}

function quote(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ')
}

function asks({ isTcp, routes }: CatalogService, action: EntityUid): boolean {
  if (isTcp) return isSameEntity(action, connect)
  // Without routes the action is the method.
  if (routes === undefined) return action.type === 'Action' && /^[A-Z]+$/.test(action.id)
  return routes.some((route) => isSameEntity(route.action, action))
}

function shadowed(revision: Revision): readonly Finding[] {
  return coveredPolicies(revision).map(({ policy, by }) => {
    const effect =
      by.json.effect === policy.json.effect ? 'says all that this says' : 'forbids all that this permits'
    return toPolicyFinding('shadowed', policy, `\`${by.id}\` (${by.file}:${by.line}) ${effect}; remove one`)
  })
}

/** Two services with one service account are one identity: a chain for one is also valid for the other. */
function sharedAccounts(services: readonly CatalogService[]): readonly Finding[] {
  const byAccount = groupBy(services, ({ spiffeId }) => spiffeId.uri)
  return services.flatMap((service) => {
    const all = byAccount.get(service.spiffeId.uri) ?? []
    if (all.length < 2) return []
    // One more than are listed, because the service itself is included.
    const twins = all.slice(0, fewNames + 1).filter((other) => other !== service)
    const names = listFew(
      twins.map(({ name }) => `\`${name}\``),
      all.length - 1,
    )
    const message = ` runs as \`${service.spiffeId.uri}\`, as ${names} does: a chain for one is a chain for the other; give each a service account`
    return [toServiceFinding('shared-account', service, message)]
  })
}
