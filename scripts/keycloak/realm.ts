/** The secret of every confidential client of the realm. */
export const clientSecret = 's3cret'

/** Clients whose service accounts ask for tokens. */
export const robots = ['robot', 'robot-bare', 'robot-named', 'robot-session'] as const

const audience = mapper('audience', 'oidc-audience-mapper', { 'included.custom.audience': 'hospital-agents' })
const groups = mapper('groups', 'oidc-group-membership-mapper', {
  'claim.name': 'groups',
  'full.path': 'false',
})

/** A hospital whose clients write tokens as differently as a realm allows. */
export const realm: object = {
  realm: 'hospital',
  enabled: true,
  groups: [{ name: 'billing' }],
  users: [person('clerk', ['/billing']), person('temp', [])],
  // So that a client with this algorithm gets a key of it.
  components: {
    'org.keycloak.keys.KeyProvider': [
      { name: 'rs256', providerId: 'rsa-generated', config: { algorithm: ['RS256'], priority: ['100'] } },
      { name: 'rs384', providerId: 'rsa-generated', config: { algorithm: ['RS384'], priority: ['90'] } },
      { name: 'enc', providerId: 'rsa-enc-generated', config: { algorithm: ['RSA-OAEP'], priority: ['80'] } },
      { name: 'hmac', providerId: 'hmac-generated', config: { algorithm: ['HS512'], priority: ['70'] } },
      { name: 'aes', providerId: 'aes-generated', config: { priority: ['60'] } },
    ],
  },
  clients: [
    login('hospital-ui', {}),
    login('hospital-rs384', { attributes: { 'access.token.signed.response.alg': 'RS384' } }),
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
  ],
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
  }
}

function login(clientId: string, others: object): object {
  return {
    clientId,
    secret: clientSecret,
    directAccessGrantsEnabled: true,
    redirectUris: ['http://127.0.0.1/*'],
    protocolMappers: [audience, groups],
    ...others,
  }
}

function robot(clientId: string, others: object): object {
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
