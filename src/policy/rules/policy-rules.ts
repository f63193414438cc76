import type { Problem } from '../../base/document/problem.ts'
import { toEntityUid } from '../../base/model/entity-uid.ts'
import { fewNames } from '../../base/text/few.ts'
import type { Catalog, CatalogService } from '../catalog/catalog.ts'
import { comparedRoles, operandsOf } from '../cedar/ast.ts'
import type { Families } from '../cedar/families.ts'
import type { Policy } from '../cedar/policies.ts'

/** Finds policies that Cedar accepts but that enable a confused deputy. `@blanket("why")` accepts one. */
export function policyProblems(
  policies: readonly Policy[],
  catalog: Catalog,
  types: Families['types'],
): readonly Problem[] {
  const permits = policies.filter((policy) => policy.json.effect === 'permit')
  return permits.flatMap((policy) => {
    const reached = reachedServices(policy, catalog, types)
    return [...widePermits(policy, reached), ...foreignPermits(policy, reached)]
  })
}

function widePermits(policy: Policy, reached: readonly CatalogService[]): readonly Problem[] {
  if (isMeant(policy)) return []
  const { principal, resource } = policy.json
  const problems: Problem[] = []
  const say = (message: string) =>
    problems.push({ file: policy.file, line: policy.line, message: `policy \`${policy.id}\`: ${message}` })
  const open = reached.find((service) => service.chainless.length > 0)
  if (principal.op === 'All' && open !== undefined) {
    say(
      `its unconstrained principal also permits callers without a chain, whom \`${open.name}\` lets in; name the principal, or say \`@blanket("why")\``,
    )
  }
  if (resource.op === 'All' && !isForCallersOnly(policy)) {
    say(
      'permits a subject or delegator on every resource; name the resource, add `when { context.role == "caller" }`, or say `@blanket("why")`',
    )
  }
  return problems
}

/** Only the owner's folder may permit anything on a service with an owner. */
function foreignPermits(policy: Policy, reached: readonly CatalogService[]): readonly Problem[] {
  if (policy.json.resource.op === 'All' && isMeant(policy)) return []
  const folder = policy.file.includes('/') ? policy.file.slice(0, policy.file.indexOf('/')) : undefined
  const foreign = reached.filter(({ owner }) => owner !== undefined && owner !== folder)
  const say = (message: string): Problem => {
    return { file: policy.file, line: policy.line, message: `policy \`${policy.id}\`: ${message}` }
  }
  const problems = foreign
    .slice(0, fewNames)
    .map(({ name, owner }) =>
      say(`permits on \`${name}\`, which belongs to \`${owner}\`; move it to \`${owner}/\``),
    )
  const more = foreign.length - problems.length
  return more === 0 ? problems : [...problems, say(`permits on ${more} more services of other owners`)]
}

/** True if the author states why the policy is that broad. */
function isMeant({ annotations }: Policy): boolean {
  return (annotations['blanket'] ?? '').trim() !== ''
}

/** Returns the services whose resources the policy's scope can match, by the possible ancestors of resource types. */
function reachedServices(
  policy: Policy,
  catalog: Catalog,
  types: Families['types'],
): readonly CatalogService[] {
  const { resource } = policy.json
  if (resource.op === 'All') return catalog.services
  const named = resource.op === 'is' ? resource.in : resource
  const uid = named !== undefined && 'entity' in named ? toEntityUid(named.entity) : undefined
  if (uid?.type === 'Service') return [catalog.byName.get(uid.id)].filter((service) => service !== undefined)
  const only = resource.op === 'is' ? resource.entity_type : undefined
  return catalog.services.filter((service) =>
    [...resourceTypes(service)].some(
      (type) =>
        (only === undefined || only === type) &&
        (uid === undefined || (types.get(type) ?? new Set([type])).has(uid.type)),
    ),
  )
}

function resourceTypes(service: CatalogService): ReadonlySet<string> {
  const types = service.isTcp ? undefined : service.routes?.map(({ resource }) => resource?.type ?? 'Service')
  return new Set(types ?? ['Service'])
}

function isForCallersOnly(policy: Policy): boolean {
  return policy.json.conditions.some(({ kind, body }) => kind === 'when' && requiresCaller(body))
}

/** True if an expression can hold only when `context.role == "caller"`. */
function requiresCaller(expression: unknown): boolean {
  const both = operandsOf(expression, '&&')
  if (both !== undefined) return both.some(requiresCaller)
  const roles = comparedRoles(expression)
  return roles?.every((role) => role === 'caller') === true
}
