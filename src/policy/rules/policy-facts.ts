import type { Role } from '../../base/model/decision.ts'
import { type EntityUid, toEntityUid } from '../../base/model/entity-uid.ts'
import { comparedRoles, objectsIn, operandsOf } from '../cedar/ast.ts'
import type { Policy } from '../cedar/policies.ts'

/** Types of principals that requests make. */
export type PrincipalType = 'Agent' | 'Autonomous' | 'User'

/** In which roles each type of principal is ever asked about. */
export const rolesByType: Readonly<Record<PrincipalType, readonly Role[]>> = {
  Agent: ['caller', 'delegator'],
  Autonomous: ['autonomous'],
  User: ['subject'],
}

const allTypes: readonly PrincipalType[] = ['Agent', 'Autonomous', 'User']
/** Every role that `context.role` can have. */
export const allRoles: readonly Role[] = ['caller', 'delegator', 'subject', 'autonomous']
const typeOfFamily: ReadonlyMap<string, PrincipalType> = new Map([
  ['Agent', 'Agent'],
  ['AgentGroup', 'Agent'],
  ['Namespace', 'Agent'],
  ['TrustDomain', 'Agent'],
  ['Autonomous', 'Autonomous'],
  ['User', 'User'],
  ['Group', 'User'],
])

/** The types of principals that a policy's scope can match. */
export function principalTypesOf({ json: { principal } }: Policy): readonly PrincipalType[] {
  if (principal.op === 'All') return allTypes
  const named =
    principal.op === 'is'
      ? principal.entity_type
      : 'entity' in principal
        ? toEntityUid(principal.entity).type
        : ''
  const type = typeOfFamily.get(named)
  return type === undefined ? [] : [type]
}

/** The roles in which a policy's conditions can hold; what they do not say of roles is taken to hold in all. */
export function rolesOf({ json: { conditions } }: Policy): readonly Role[] {
  return conditions.reduce<readonly Role[]>((roles, { kind, body }) => {
    if (kind === 'when') {
      const named = rolesIn(body)
      return named === undefined ? roles : roles.filter((role) => named.includes(role))
    }
    const spared = alternatives(body).flatMap((part) => wholeRoles(part) ?? [])
    return roles.filter((role) => !spared.includes(role))
  }, allRoles)
}

/** The action or the service that a policy's scope names outright. */
export function namedInScope({ json: { action, resource } }: Policy): {
  readonly action: EntityUid | undefined
  readonly service: string | undefined
} {
  const place = resource.op === 'is' ? resource.in : resource
  const uid = place !== undefined && 'entity' in place ? toEntityUid(place.entity) : undefined
  return {
    action: action.op === '==' && 'entity' in action ? toEntityUid(action.entity) : undefined,
    service: uid?.type === 'Service' ? uid.id : undefined,
  }
}

/** The texts with which a policy's conditions compare the role, roles or not, in the order in which they stand. */
export function namedRoles({ json: { conditions } }: Policy): readonly string[] {
  return [...new Set([...objectsIn(conditions)].flatMap((expression) => comparedRoles(expression) ?? []))]
}

/** The roles outside of which an expression is false; `undefined` when it says nothing of roles. */
function rolesIn(expression: unknown): readonly Role[] | undefined {
  const both = operandsOf(expression, '&&')?.map(rolesIn)
  if (both !== undefined) {
    const [one, other] = both
    return one === undefined || other === undefined
      ? (one ?? other)
      : one.filter((role) => other.includes(role))
  }
  const either = operandsOf(expression, '||')?.map(rolesIn)
  if (either === undefined) return wholeRoles(expression)
  const [one, other] = either
  return one === undefined || other === undefined ? undefined : [...one, ...other]
}

function alternatives(expression: unknown): readonly unknown[] {
  return operandsOf(expression, '||')?.flatMap(alternatives) ?? [expression]
}

/** The roles that an expression names when it says nothing else. */
function wholeRoles(expression: unknown): readonly Role[] | undefined {
  const texts = comparedRoles(expression)
  return texts && allRoles.filter((known) => texts.includes(known))
}
