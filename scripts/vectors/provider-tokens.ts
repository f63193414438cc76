import {
  auth0,
  cognito,
  entra,
  entraV1,
  keycloak,
  okta,
  other,
  type Provider,
  presentOf,
  type Want,
} from './providers.ts'
import type { Vector } from './vector.ts'

const named = (claim: string) => ['token_invalid', claim] as const
const audience = (text: string) => ['token_audience', text] as const

/** The four tokens of a provider: only the user's access token begins a chain. */
type Four = {
  readonly of: Provider
  /** The claims of its ID, refresh and client's tokens, in place of a user's access token; `text`: not three parts. */
  readonly id: Tokens
  readonly refresh: Tokens
  readonly client: Tokens
}
type Tokens = {
  readonly why: string
  readonly want: Want
  readonly claims: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
}

const none = { scope: undefined, scp: undefined }

const fours: readonly Four[] = [
  {
    of: keycloak,
    id: {
      why: '`typ: ID`',
      want: named('typ'),
      claims: { typ: 'ID', aud: 'hospital-ui', groups: ['billing'] },
    },
    refresh: {
      why: '`typ: Refresh`',
      want: named('typ'),
      claims: { typ: 'Refresh', aud: keycloak.user.issuer },
    },
    client: {
      why: 'a service account without scopes: only the grant in `jti` shows it',
      want: named('jti'),
      claims: { sub: '0c6dd7f3', sid: 'PJp0', jti: 'onrtcc:3a77e810-bf97', preferred_username: 'clerk' },
    },
  },
  ...[entra, entraV1].map((of) => ({
    of,
    id: {
      why: 'its nonce, and nothing says that it is an access token',
      want: named('nonce'),
      claims: { ...none, aud: '6731de76', azp: undefined, appid: undefined, nonce: 'n', roles: ['billing'] },
    },
    refresh: { why: 'no JWT, and this one says nothing of a user', want: named('scp'), claims: none },
    client: {
      why: 'roles, and no `scp`',
      want: named('scp'),
      claims: { ...none, roles: ['billing'], preferred_username: undefined },
    },
  })),
  {
    of: okta,
    id: {
      why: 'meant for the client',
      want: audience('hospital-agents'),
      claims: { ...none, aud: okta.claims['cid'], cid: undefined, uid: undefined, idp: '00o1', amr: ['pwd'] },
    },
    refresh: { why: 'opaque, and this one names no user', want: named('uid'), claims: { uid: undefined } },
    client: {
      why: '`sub` is the client, and no `uid`',
      want: named('sub'),
      claims: { sub: okta.claims['cid'], uid: undefined },
    },
  },
  {
    of: auth0,
    id: {
      why: 'meant for the client, and names none',
      want: audience('hospital-agents'),
      claims: { aud: '4wQZ8LxT1cV7', azp: undefined, nonce: undefined, sid: 's' },
    },
    refresh: { why: 'opaque, and this one names no user', want: named('sub'), claims: { sub: 'v1.MRrtPSn' } },
    client: {
      why: 'as Auth0 marks it',
      want: named('gty'),
      claims: { gty: 'client-credentials', sub: '4wQZ8LxT1cV7@clients' },
    },
  },
  {
    of: cognito,
    id: {
      why: '`token_use: id`',
      want: named('token_use'),
      claims: {
        token_use: 'id',
        aud: '1example23456789',
        client_id: undefined,
        'cognito:username': 'clerk',
        username: undefined,
      },
    },
    refresh: {
      why: 'encrypted, and this one is no access token',
      want: named('token_use'),
      claims: { token_use: 'refresh' },
    },
    client: {
      why: 'no user is named',
      want: named('username'),
      claims: { username: undefined, sub: 'machine' },
    },
  },
  {
    of: other,
    id: {
      why: 'an audience of its own, and no client',
      want: audience('hospital-agents'),
      claims: { aud: 'hospital-ui', azp: undefined },
    },
    refresh: { why: 'without the claim that login adds', want: named('login'), claims: { login: undefined } },
    client: {
      why: 'without the claim that login adds',
      want: named('login'),
      claims: { login: undefined, sub: 'robot' },
    },
  },
]

/** Tokens that each provider writes for users and for clients, and tokens that nearly look like a user's. */
export function providerTokenVectors(): readonly Vector[] {
  return [...fours.flatMap(four), ...evidence()]
}

function four({ of, ...others }: Four): readonly Vector[] {
  return [
    presentOf(of, 'four-user', 'the access token of a user', 'accepted'),
    ...(['id', 'refresh', 'client'] as const).map((kind) => {
      const { why, want, claims, header = {} } = others[kind]
      return presentOf(of, `four-${kind}`, why, want, { claims, header })
    }),
  ]
}

function evidence(): readonly Vector[] {
  return [
    presentOf(keycloak, 'untyped', 'Keycloak writes `typ: Bearer`', named('typ'), {
      claims: { typ: undefined },
    }),
    presentOf(keycloak, 'client-not-in-azp', 'Keycloak names the client in `azp`', named('azp'), {
      claims: { azp: undefined, client_id: 'hospital-ui' },
    }),
    presentOf(entra, 'foreign-tenant', 'a token of another tenant', named('tid'), {
      claims: { tid: '00000000-0000-0000-0000-000000000000' },
    }),
    presentOf(entra, 'tenant-missing', 'Entra always writes it', named('tid'), {
      claims: { tid: undefined },
    }),
    presentOf(entra, 'any-client', 'delegated permissions show a user', 'accepted', {
      claims: { azp: 'another' },
      user: { clients: 'any' },
    }),
    presentOf(entra, 'exchanged-any-client', 'on behalf of: not to be told from the user’s own', 'accepted', {
      claims: { azp: 'agent-a' },
      user: { clients: 'any' },
    }),
    presentOf(okta, 'client-renamed', 'a mapping of `sub`', named('uid'), { claims: { uid: undefined } }),
    presentOf(okta, 'client-not-in-cid', 'Okta names the client in `cid`', named('cid'), {
      claims: { cid: undefined, azp: okta.claims['cid'] },
    }),
    presentOf(auth0, 'password', 'a user’s grant', 'accepted', { claims: { gty: 'password' } }),
    presentOf(auth0, 'rfc9068', 'the other token profile', 'accepted', {
      header: { typ: 'at+jwt' },
      claims: { azp: undefined, client_id: auth0.claims['azp'] },
    }),
    presentOf(auth0, 'sub-without-connection', 'no user has such a name', named('sub'), {
      claims: { sub: '6735c2' },
    }),
    presentOf(auth0, 'client-sub', 'of another client', named('sub'), { claims: { sub: 'other@clients' } }),
    presentOf(auth0, 'client-grants', 'a list of grants', named('gty'), {
      claims: { gty: ['refresh_token', 'client_credentials'] },
    }),
    presentOf(cognito, 'unmarked', 'Cognito writes `token_use`', named('token_use'), {
      claims: { token_use: undefined },
    }),
    presentOf(cognito, 'other-client', 'nothing else limits its tokens', named('other'), {
      claims: { client_id: 'other' },
    }),
    presentOf(other, 'without-evidence', 'nothing configured shows a user', named('userClaim'), {
      user: { userClaim: undefined },
    }),
  ]
}
