/** The secret of every confidential client of the realm. */
export const clientSecret = 's3cret'

/** Clients whose service accounts ask for tokens. */
export const robots = ['robot', 'robot-bare', 'robot-named', 'robot-session'] as const

const audience = mapper('audience', 'oidc-audience-mapper', { 'included.custom.audience': 'hospital-agents' })
const groupPaths = mapper('groups', 'oidc-group-membership-mapper', {
  'claim.name': 'groups',
  'full.path': 'true',
})
const groups = mapper('groups', 'oidc-group-membership-mapper', {
  'claim.name': 'groups',
  'full.path': 'false',
})

/** Algorithms of clients; the last three are refused. */
const algorithms = ['ES256', 'PS256', 'EdDSA', 'RS384', 'ES384', 'HS256'] as const

type Client = Readonly<Record<string, unknown>> & { readonly clientId: string }

const clients: readonly Client[] = [
  login('hospital-ui', {}),
  ...algorithms.map((algorithm) =>
    login(`hospital-${algorithm.toLowerCase()}`, {
      attributes: { 'access.token.signed.response.alg': algorithm },
    }),
  ),
  login('hospital-plain', { protocolMappers: [] }),
  login('hospital-audience', { protocolMappers: [audience] }),
  login('hospital-paths', { protocolMappers: [audience, groupPaths] }),
  login('hospital-rfc9068', { attributes: { 'access.token.header.type.rfc9068': 'true' } }),
  login('hospital-light', { attributes: { 'client.use.lightweight.access.token.enabled': 'true' } }),
  login('hospital-without-basic', { defaultClientScopes: ['profile', 'email'] }),
  login('hospital-shared', {
    protocolMappers: [
      audience,
      groups,
      mapper('a', 'oidc-audience-mapper', { 'included.client.audience': 'agent-a' }),
    ],
  }),
  login('agent-a', { attributes: { 'standard.token.exchange.enabled': 'true' } }),
  login('hospital-actor', {
    protocolMappers: [
      audience,
      groups,
      mapper('actor', 'oidc-hardcoded-claim-mapper', {
        'claim.name': 'act.sub',
        'claim.value': 'agent-a',
        'jsonType.label': 'String',
      }),
    ],
  }),
  login('hospital-gateway', {
    defaultClientScopes: ['basic'],
    attributes: { 'standard.token.exchange.enabled': 'true' },
    protocolMappers: [audience, groups, mapper('nonce', 'oidc-nonce-backwards-compatible-mapper', {})],
  }),
  robot('robot', {}),
  robot('robot-bare', { defaultClientScopes: ['basic'] }),
  robot('robot-named', {
    defaultClientScopes: ['basic'],
    protocolMappers: [
      audience,
      groups,
      mapper('name', 'oidc-hardcoded-claim-mapper', {
        'claim.name': 'preferred_username',
        'claim.value': 'clerk',
        'jsonType.label': 'String',
      }),
    ],
  }),
  robot('robot-session', {
    defaultClientScopes: ['basic'],
    attributes: { 'client_credentials.use_refresh_token': 'true' },
    protocolMappers: [
      audience,
      groups,
      mapper('gateway', 'oidc-audience-mapper', { 'included.client.audience': 'hospital-gateway' }),
    ],
  }),
]

/** The clients whose tokens count: all but the agent's. */
export const acceptedClients: readonly string[] = clients
  .map(({ clientId }) => clientId)
  .filter((clientId) => clientId !== 'agent-a')

/** A hospital whose clients write tokens as differently as a realm allows. */
export const realm: object = {
  realm: 'hospital',
  enabled: true,
  groups: [{ name: 'billing' }],
  roles: { realm: [{ name: 'billing' }] },
  users: [person('clerk', ['/billing']), person('temp', [])],
  // So that a client with this algorithm gets a key of it.
  components: {
    'org.keycloak.keys.KeyProvider': [
      { name: 'rs256', providerId: 'rsa-generated', config: { algorithm: ['RS256'], priority: ['100'] } },
      { name: 'rs384', providerId: 'rsa-generated', config: { algorithm: ['RS384'], priority: ['90'] } },
      { name: 'enc', providerId: 'rsa-enc-generated', config: { algorithm: ['RSA-OAEP'], priority: ['80'] } },
      { name: 'ps256', providerId: 'rsa-generated', config: { algorithm: ['PS256'], priority: ['80'] } },
      { name: 'es256', providerId: 'ecdsa-generated', config: { ecdsaEllipticCurveKey: ['P-256'] } },
      { name: 'es384', providerId: 'ecdsa-generated', config: { ecdsaEllipticCurveKey: ['P-384'] } },
      { name: 'eddsa', providerId: 'eddsa-generated', config: { eddsaEllipticCurveKey: ['Ed25519'] } },
      { name: 'hs256', providerId: 'hmac-generated', config: { algorithm: ['HS256'], priority: ['70'] } },
      { name: 'hmac', providerId: 'hmac-generated', config: { algorithm: ['HS512'], priority: ['70'] } },
      { name: 'aes', providerId: 'aes-generated', config: { priority: ['60'] } },
    ],
  },
  clients,
}

function person(username: string, memberOf: readonly string[]): object {
  return {
    username,
    firstName: username,
    lastName: 'Hospital',
    email: `${username}@hospital.example`,
    enabled: true,
    credentials: [{ type: 'password', value: username }],
    groups: memberOf,
    realmRoles: memberOf.length === 0 ? [] : ['billing', 'offline_access'],
  }
}

function login(clientId: string, others: object): Client {
  return {
    clientId,
    secret: clientSecret,
    directAccessGrantsEnabled: true,
    redirectUris: ['http://127.0.0.1/*'],
    protocolMappers: [audience, groups],
    ...others,
  }
}

function robot(clientId: string, others: object): Client {
  return {
    clientId,
    secret: clientSecret,
    serviceAccountsEnabled: true,
    standardFlowEnabled: false,
    protocolMappers: [audience, groups],
    ...others,
  }
}

function mapper(name: string, protocolMapper: string, config: Readonly<Record<string, string>>): object {
  return {
    name,
    protocol: 'openid-connect',
    protocolMapper,
    config: { ...config, 'access.token.claim': 'true' },
  }
}
