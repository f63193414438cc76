import type { Path } from '../base/document/yaml.ts'
import { isIssuerOf, type ProviderName, providerOf, rulesOf } from '../base/providers/provider-rules.ts'
import { type Conflict, type Draft, repetitions } from './conflict.ts'
import { keySourceConflicts } from './key-source.ts'
import type { Settings } from './settings.ts'

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
    ...users.flatMap((user, index) => [
      ...providerConflicts(user, ['users', index]),
      ...groupConflicts(user, ['users', index]),
    ]),
    ...users.flatMap((user, index) => keySourceConflicts(user, ['users', index])),
  ]
}

function providerConflicts(user: User, path: Path): readonly Conflict[] {
  if (user?.issuer === undefined) return []
  const provider = user.provider ?? providerOf(user.issuer)
  const conflicts: Conflict[] = []
  const say = (key: string, message: string) => conflicts.push({ path: [...path, key], message })
  const { issuer, audience, userClaim } = rulesOf(provider)
  if (!isIssuerOf(provider, user.issuer))
    say(
      'issuer',
      `no issuer of \`provider: ${provider}\` has this form; expected one such as \`${issuer.example}\``,
    )
  if (!('audience' in user)) {
    if (audience === 'always')
      say('audience', 'missing; add it: without one, tokens for other services would be accepted')
    else if (user.clients === 'any')
      say('clients', 'expected a list: without `audience` only the clients limit which tokens are accepted')
  }
  if (!('userClaim' in user) && userClaim === 'required')
    say(
      'userClaim',
      "missing; name a claim that only a user's token has, or say `provider` if it is keycloak, entra, okta, auth0 or cognito",
    )
  return [...conflicts, ...userClaimConflicts(user, provider, path)]
}

function userClaimConflicts(user: User, provider: ProviderName, path: Path): readonly Conflict[] {
  const claim = user?.userClaim
  if (claim === undefined) return []
  const at = [...path, 'userClaim']
  const { evidence } = rulesOf(provider)
  if (evidence.some((each) => each.claim === claim)) return []
  if (claim === 'scp')
    return [
      {
        path: at,
        message:
          'shows a user in tokens of Microsoft Entra ID alone, and `issuer` is none of its URLs; name a claim that this provider writes for users only',
      },
    ]
  if (claimsOfAll.has(claim) || claim === (user?.groups ?? rulesOf(provider).groups))
    return [
      {
        path: at,
        message: `a client's own token can have \`${claim}\`, too; name a claim that only a user's token has, such as \`sid\` (Keycloak) or \`uid\` (Okta)`,
      },
    ]
  return []
}

/** Two spellings of one group would let a group of another level pass for it. */
function groupConflicts(user: User, path: Path): readonly Conflict[] {
  const provider = user?.issuer === undefined ? undefined : (user.provider ?? providerOf(user.issuer))
  if (provider === undefined || !rulesOf(provider).hasGroupPaths) return []
  const groups = user?.groupsAllow ?? []
  return groups.flatMap((group, index) =>
    group !== undefined && groups.includes(`/${group}`)
      ? [
          {
            path: [...path, 'groupsAllow', index],
            message: `stands beside \`/${group}\`, which it accepts, too; remove one of them`,
          },
        ]
      : [],
  )
}
