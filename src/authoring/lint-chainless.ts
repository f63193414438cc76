import { isDeny } from '../base/model/decision.ts'
import type { SpiffeId } from '../base/model/spiffe-id.ts'
import { judge } from '../decision/check/judge.ts'
import type { CatalogService } from '../policy/catalog/catalog.ts'
import { methods } from '../policy/catalog/route.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { type Finding, toServiceFinding } from './lint-finding.ts'
import { type Situation, toMatter } from './situation.ts'

/** The user of the tried chains: a user without groups. */
const nobody = { issuerName: 'lint', id: 'nobody', groups: [] }

/**
 * Finds callers that are allowed without a chain and denied with one, because they only have to omit the chain. Every
 * route is tried. A permit that intends this has `@chainless("why")`.
 */
export function findLeftOutChains(revision: Revision): readonly Finding[] {
  return revision.catalog.services.flatMap((service) =>
    service.chainless.flatMap((caller) => {
      const gains = requestsOf(service).flatMap(({ method, path }) => {
        const asked = { service: service.name, method, path, isUpgrade: false }
        return isGain(asked, caller, revision) ? [`${method} ${path}`] : []
      })
      if (gains.length === 0) return []
      const message = `: \`${caller.uri}\` may ${gains.join(', ')} without a chain, but not with one; it has only to leave the chain out. Permit it no more than its users, or say \`@chainless("why")\` on the permit`
      return [toServiceFinding('chainless-gains', service, message)]
    }),
  )
}

function isGain(
  asked: Pick<Situation, 'service' | 'method' | 'path' | 'isUpgrade'>,
  caller: SpiffeId,
  revision: Revision,
): boolean {
  const situation = { ...asked, caller, actors: [], scopes: [], isRecovered: false }
  const without = toMatter({ ...situation, subject: undefined }, revision.catalog)
  if (isDeny(without)) return false
  const alone = judge(without.caller, without.chain, without.target, revision)
  if (isDeny(alone)) return false
  const deciding = new Set(alone.results.flatMap((result) => result.determiningPolicies.map(({ id }) => id)))
  const isMeant = revision.policies.some(
    ({ id, annotations }) => deciding.has(id) && (annotations['chainless'] ?? '') !== '',
  )
  if (isMeant) return false
  const scopes = without.target.requiredScope === undefined ? [] : [without.target.requiredScope]
  const matter = toMatter({ ...situation, scopes, subject: nobody }, revision.catalog)
  return isDeny(matter) || isDeny(judge(matter.caller, matter.chain, matter.target, revision))
}

/** Returns one request for every route, or for every method if there are no routes. */
function requestsOf({
  isTcp,
  routes,
}: CatalogService): readonly { readonly method: string; readonly path: string }[] {
  // A connection never carries a chain that could be left out.
  if (isTcp) return []
  if (routes === undefined) return methods.map((method) => ({ method, path: '/' }))
  return routes.map(({ route }) => {
    const segments = route.segments.map(({ kind, text }) => (kind === 'literal' ? text : 'x'))
    const rest = route.hasRest ? ['x'] : []
    return {
      method: route.method === '*' ? 'GET' : route.method,
      path: `/${[...segments, ...rest].join('/')}`,
    }
  })
}
