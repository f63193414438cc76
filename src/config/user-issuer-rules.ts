import type { Path } from '../base/document/yaml.ts'
import { type Conflict, type Draft, repetitions } from './conflict.ts'
import { keySourceConflicts } from './key-source.ts'
import type { Settings } from './settings.ts'
import { entraUserClaim, isEntra } from './user-issuer.ts'

type User = Draft<Settings['users'][number]>

/** Claims that a provider also writes into a client's own token, so they do not prove that a user took part. */
const claimsOfAll: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'typ', 'scope', 'acr', 'ver'],
  ...['azp', 'client_id', 'cid', 'appid', 'clientId', 'gty', 'grant_type', 'token_use'],
  ...['roles', 'permissions', 'realm_access', 'resource_access', 'allowed-origins', 'preferred_username'],
  ...['oid', 'tid', 'uti', 'aio', 'rh', 'idp', 'azpacr', 'appidacr'],
])

/** Finds contradictions among entries of `users`, or within one. */
export function userIssuerConflicts(draft: Draft<Settings>): readonly Conflict[] {
  const users = draft?.users ?? []
  const names = users.map((user, index) => ({ value: user?.name, path: ['users', index, 'name'] }))
  const issuers = users.map((user, index) => ({ value: user?.issuer, path: ['users', index, 'issuer'] }))
  const own = draft?.chain?.issuer
  const selves = issuers.filter(({ value }) => value !== undefined && value === own)
  return [
    ...repetitions(names, 'name'),
    ...repetitions(issuers, 'issuer'),
    ...selves.map(({ path }) => ({
      path,
      message:
        'is also `chain.issuer`: our own chains must never count as tokens of users; name the identity provider',
    })),
    ...users.flatMap((user, index) => userClaimConflicts(user, ['users', index])),
    ...users.flatMap((user, index) => keySourceConflicts(user, ['users', index])),
  ]
}

function userClaimConflicts(user: User, path: Path): readonly Conflict[] {
  const claim = user?.userClaim
  if (user === undefined || claim === undefined || user.issuer === undefined) return []
  const at = [...path, 'userClaim']
  if (claim === entraUserClaim)
    return isEntra(user.issuer)
      ? []
      : [
          {
            path: at,
            message:
              "shows a user in tokens of Microsoft Entra ID alone, and `issuer` is none of its URLs; name a claim that this provider writes for users only, such as Okta's `uid`",
          },
        ]
  if (claimsOfAll.has(claim) || claim === user.groups)
    return [
      {
        path: at,
        message: `a client's own token can have \`${claim}\`, too; name a claim that only a user's token has, such as \`sid\` (Keycloak) or \`uid\` (Okta)`,
      },
    ]
  if (user.clients === undefined || user.clients.length > 0) return []
  const message = `missing; add it: a provider can be set up to write \`${claim}\` into a client's own token, so only listed clients count; their service accounts must be off`
  return [{ path: [...path, 'clients'], message }]
}
