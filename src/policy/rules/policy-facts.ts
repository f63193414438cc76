import type { Role } from '../../base/model/decision.ts'
import { type EntityUid, toEntityUid } from '../../base/model/entity-uid.ts'
import { comparedRoles, objectsIn, operandsOf } from '../cedar/ast.ts'
import type { Policy } from '../cedar/policies.ts'

/** The types of principals in requests. */
export type PrincipalType = 'Agent' | 'Autonomous' | 'User'

/** The possible roles of each type of principal. */
export const rolesByType: Readonly<Record<PrincipalType, readonly Role[]>> = {
  Agent: ['caller', 'delegator'],
  Autonomous: ['autonomous'],
  User: ['subject'],
}

const allTypes: readonly PrincipalType[] = ['Agent', 'Autonomous', 'User']
/** All values of `context.role`. */
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

/** Returns the principal types that a policy's scope can match. */
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

/** Returns the roles in which a policy's conditions can hold. Conditions that do not mention roles can hold in all. */
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

/** Returns the action or the service that a policy's scope names. */
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

/** Returns the texts that a policy's conditions compare with the role, in order, even if they are not roles. */
export function namedRoles({ json: { conditions } }: Policy): readonly string[] {
  return [...new Set([...objectsIn(conditions)].flatMap((expression) => comparedRoles(expression) ?? []))]
}

/** Returns the only roles in which an expression can be true; `undefined` if it does not restrict roles. */
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

/** Returns the roles of an expression that does nothing but compare roles. */
function wholeRoles(expression: unknown): readonly Role[] | undefined {
  const texts = comparedRoles(expression)
  return texts && allRoles.filter((known) => texts.includes(known))
}
