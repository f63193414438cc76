import { forge, readJwks, signer } from '../../test/support/forge.ts'
import { accessClaims, now, uris } from '../../test/support/hospital.ts'
import { toVector, type Vector } from './vector.ts'

/** An identity provider as it is configured, and what its access tokens look like. */
export type Provider = {
  readonly name: string
  readonly user: Vector['config']['users'][number]
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

const sign = signer('hospital-idp')
const common = { audience: 'hospital-agents', groupsAllow: ['billing', 'clinicians'] }
const jwks: object = JSON.parse(readJwks('hospital-idp'))
const header = { alg: 'RS256', kid: 'hospital-1', typ: 'JWT' }
const times = { iat: now - 60, nbf: now - 60, exp: now + 240 }
const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'

/** Keycloak 26.7.3, as it answered. */
export const keycloak: Provider = provider({
  name: 'keycloak',
  provider: 'keycloak',
  issuer: 'https://idp.hospital.example/realms/hospital',
  id: 'preferred_username',
  groups: 'groups',
  clients: ['hospital-ui'],
  userClaim: 'sid',
  header,
  claims: accessClaims,
})

/** Entra, of its v2.0 endpoint (Microsoft's access token claims reference). */
export const entra: Provider = provider({
  name: 'entra',
  provider: 'entra',
  issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
  id: 'oid',
  groups: 'groups',
  clients: ['6731de76-14a6-49ae-97bc-6eba6914391e'],
  header: { ...header, x5t: 'nOo3ZDrODXEK1jKWhXslHR_KXEg' },
  claims: {
    ...times,
    aud: common.audience,
    azp: '6731de76-14a6-49ae-97bc-6eba6914391e',
    azpacr: '1',
    groups: ['billing', 'everybody'],
    name: 'Clara Clerk',
    oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
    preferred_username: 'clerk@hospital.example',
    scp: 'access_as_user',
    sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
    tid: tenant,
    ver: '2.0',
  },
})

/** Entra, of its v1.0 endpoint. */
export const entraV1: Provider = provider({
  name: 'entra-v1',
  provider: 'entra',
  issuer: `https://sts.windows.net/${tenant}/`,
  id: 'oid',
  groups: 'groups',
  clients: ['6731de76-14a6-49ae-97bc-6eba6914391e'],
  header: entra.header,
  claims: { ...entra.claims, azp: undefined, azpacr: undefined, appid: entra.claims['azp'], ver: '1.0' },
})

/** An authorization server of Okta: no `typ`, the client in `cid`, scopes as a list. */
export const okta: Provider = provider({
  name: 'okta',
  provider: 'okta',
  issuer: 'https://hospital.okta.example/oauth2/default',
  id: 'sub',
  groups: 'groups',
  clients: ['0oaok4lsc7R7Nndnr697'],
  header: { alg: 'RS256', kid: 'hospital-1' },
  claims: {
    ver: 1,
    jti: 'AT.rKYW5nJmQbL3MXH5s0Kv',
    aud: common.audience,
    iat: now - 60,
    exp: now + 240,
    cid: '0oaok4lsc7R7Nndnr697',
    uid: '00uok4lsfVgAFQBGZ697',
    scp: ['openid', 'insurance:read'],
    auth_time: now - 60,
    sub: 'clerk@hospital.example',
    groups: ['billing'],
  },
})

/** Auth0. */
export const auth0: Provider = provider({
  name: 'auth0',
  provider: 'auth0',
  issuer: 'https://hospital.auth0.example/',
  id: 'sub',
  groups: 'https://hospital.example/groups',
  clients: ['4wQZ8LxT1cV7'],
  header,
  claims: {
    ...times,
    aud: [common.audience, 'https://hospital.auth0.example/userinfo'],
    azp: '4wQZ8LxT1cV7',
    sub: 'auth0|6735c2',
    scope: 'openid profile insurance:read',
    'https://hospital.example/groups': ['billing'],
  },
})

/** Cognito, which names its client alone: no `aud`. */
export const cognito: Provider = provider({
  name: 'cognito',
  provider: 'cognito',
  issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_h0sp1tal',
  id: 'sub',
  groups: 'cognito:groups',
  clients: ['1example23456789'],
  audience: undefined,
  header: { alg: 'RS256', kid: 'hospital-1' },
  claims: {
    sub: '248289dc-4a61-4c83-8f3e-6f9f44',
    'cognito:groups': ['billing'],
    client_id: '1example23456789',
    token_use: 'access',
    scope: 'openid',
    auth_time: now - 60,
    iat: now - 60,
    exp: now + 240,
    username: 'clerk',
  },
})

/** Another provider, whose administrator added a claim to users' tokens. */
export const other: Provider = provider({
  name: 'other',
  provider: 'generic',
  issuer: 'https://login.other.example',
  id: 'sub',
  groups: 'groups',
  clients: ['hospital-ui'],
  userClaim: 'login',
  header,
  claims: {
    ...times,
    sub: 'clerk',
    aud: common.audience,
    azp: 'hospital-ui',
    groups: ['billing'],
    login: 'password',
  },
})

type Fields = Pick<Provider, 'name' | 'header' | 'claims'> &
  Omit<Provider['user'], 'name' | 'groupsAllow' | 'jwks'>

function provider({ name, header, claims, ...user }: Fields): Provider {
  return {
    name,
    user: { ...common, jwks, name: 'hospital', ...user },
    header,
    claims: { ...claims, iss: user.issuer },
  }
}

/** The differences from the provider's usual token, header and configuration; a claim of `undefined` is left out. */
export type Change = {
  readonly claims?: Readonly<Record<string, unknown>>
  /** The exact text of the claims, instead. */
  readonly text?: string
  readonly header?: Readonly<Record<string, unknown>>
  readonly user?: Partial<Provider['user']>
  readonly signer?: string
}

/** `accepted`, or a code and what its reason names. */
export type Want = 'accepted' | `token_${string}` | readonly [code: `token_${string}`, named: string]

/** A token of the provider, presented by ingress. */
export function presentOf(of: Provider, name: string, why: string, want: Want, change: Change = {}): Vector {
  const claims = change.text ?? { ...of.claims, ...change.claims }
  const signWith = change.signer === undefined ? sign : signer(change.signer)
  const token = forge({ ...of.header, ...change.header }, claims, signWith)
  const [code, wantNamed] = typeof want === 'string' ? [want, undefined] : want
  return {
    ...toVector({
      name: `${of.name}-${name}`,
      why,
      want: code,
      from: uris.gateway,
      request: { headers: { authorization: [`Bearer ${token}`] } },
      config: { users: [{ ...of.user, ...change.user }] },
    }),
    ...(wantNamed === undefined ? {} : { wantNamed }),
  }
}
