import { isProblems } from '../../src/base/model/problems.ts'
import { parseConfig } from '../../src/config/config.ts'
import type { UserIssuer } from '../../src/decision/identity/user-issuer.ts'
import { keyNotices, parseProviderKeys } from '../../src/decision/jws/provider-keys.ts'
import { good } from '../../test/support/forge.ts'
import { verifyAtOnce } from '../../test/support/proofs.ts'
import { settings } from '../../test/support/settings.ts'
import { type Keycloak, users } from './keycloak.ts'
import { acceptedClients } from './realm.ts'
import { hostname } from './server.ts'

/** `accepted`, or the text that the reason of the refusal names. */
type Row = {
  readonly name: string
  readonly token: () => Promise<string>
  readonly user?: Partial<UserIssuer>
  readonly want: string
}

/** Asks our verification about real tokens of users and of clients; returns each answer that is another than expected. */
export async function compareAnswers(keycloak: Keycloak): Promise<readonly string[]> {
  const keys = good(parseProviderKeys(await keycloak.keys()))
  const [configured] = readUsers()
  if (configured === undefined) throw new TypeError('no users')
  const hospital: UserIssuer = {
    ...configured,
    issuer: `${hostname}/realms/hospital`,
    clients: acceptedClients,
    keys,
  }
  const problems: string[] = []
  for (const { name, token, user, want } of rowsOf(keycloak)) {
    const headers = new Map([['authorization', [`Bearer ${await token()}`]]])
    const answer = verifyAtOnce(headers, [{ ...hospital, ...user }], Date.now())
    const found = answer.kind === 'first-hop' ? 'accepted' : `${answer.code}: ${answer.reason}`
    const isRight = want === 'accepted' ? found === want : found.includes(`\`${want}\``)
    if (!isRight) problems.push(`${name}: expected ${want}, found ${found}`)
    console.log(`${isRight ? '✓' : `✗ expected ${want},`} ${name}: ${found}`)
  }
  for (const notice of keyNotices(keys)) console.log(`  not used: ${notice}`)
  return problems
}

function readUsers() {
  const config = parseConfig('/waywarden.yaml', settings, new Map())
  if (isProblems(config)) throw new TypeError('bad settings')
  return config.users
}

function rowsOf(keycloak: Keycloak): readonly Row[] {
  const [clerk, temp] = users
  const byPassword =
    (client: string, user = clerk) =>
    () =>
      keycloak.byPassword(client, user)
  const byCode = (client: string) => async () => (await keycloak.byCode(client, clerk)).access_token
  return [
    { name: 'a user, by password', token: byPassword('hospital-ui'), want: 'accepted' },
    { name: 'a user, in the browser', token: byCode('hospital-ui'), want: 'accepted' },
    {
      name: 'the same, shown by `auth_time`',
      token: byCode('hospital-ui'),
      user: { userClaim: 'auth_time' },
      want: 'accepted',
    },
    {
      name: 'a user, refreshed, shown by `auth_time`',
      token: async () => keycloak.refresh('hospital-ui', await keycloak.byCode('hospital-ui', clerk)),
      user: { userClaim: 'auth_time' },
      want: 'accepted',
    },
    { name: 'a token with a nonce', token: byCode('hospital-gateway'), want: 'accepted' },
    { name: 'a user in no group', token: byPassword('hospital-ui', temp), want: 'groups' },
    {
      name: 'the same with `groupsAbsent: none`',
      token: byPassword('hospital-ui', temp),
      user: { groupsAbsent: 'none' },
      want: 'accepted',
    },
    {
      name: 'an unverified address as id',
      token: byPassword('hospital-ui'),
      user: { id: 'email' },
      want: 'email_verified',
    },
    {
      name: 'an ID token',
      token: async () => (await keycloak.byCode('hospital-ui', clerk)).id_token ?? '',
      want: 'typ',
    },
    ...clientRows(byPassword),
    ...otherTokenRows(keycloak),
    ...robotRows(keycloak),
  ]
}

type ByPassword = (client: string, user?: string) => () => Promise<string>

/** One kind of client after the other, from the defaults on. */
function clientRows(byPassword: ByPassword): readonly Row[] {
  const plain = byPassword('hospital-plain')
  const roles = { groups: '/realm_access/roles' }
  return [
    { name: 'a client made with defaults', token: plain, want: 'hospital-agents' },
    { name: 'with the audience mapper alone', token: byPassword('hospital-audience'), want: 'groups' },
    { name: 'with the default of the group mapper', token: byPassword('hospital-paths'), want: 'accepted' },
    {
      name: 'the same, allowed by its path',
      token: byPassword('hospital-paths'),
      user: { groupsAllow: ['/billing'] },
      want: 'accepted',
    },
    {
      name: 'roles where Keycloak puts them',
      token: byPassword('hospital-audience'),
      user: roles,
      want: 'accepted',
    },
    {
      name: 'roles by a path with dots',
      token: byPassword('hospital-audience'),
      user: { groups: 'realm_access.roles' },
      want: 'groups: /realm_access/roles',
    },
    { name: '`id: sub`, a UUID', token: byPassword('hospital-ui'), user: { id: 'sub' }, want: 'accepted' },
    {
      name: '`id: sub` without the scope `basic`',
      token: byPassword('hospital-without-basic'),
      user: { id: 'sub' },
      want: 'sub',
    },
    ...['es256', 'ps256', 'eddsa', 'rfc9068'].map((kind) => ({
      name: `a token of ${kind}`,
      token: byPassword(`hospital-${kind}`),
      want: 'accepted',
    })),
    { name: 'a token signed with RS384', token: byPassword('hospital-rs384'), want: 'RS384' },
    { name: 'a token signed with ES384', token: byPassword('hospital-es384'), want: 'ES384' },
    { name: 'a token signed with a secret', token: byPassword('hospital-hs256'), want: 'kid' },
    {
      name: 'a lightweight token with both mappers',
      token: byPassword('hospital-light'),
      want: 'hospital-agents',
    },
    { name: 'a token with an actor', token: byPassword('hospital-actor'), want: 'act' },
  ]
}

/** Tokens of the same users that are no access tokens of their own. */
function otherTokenRows(keycloak: Keycloak): readonly Row[] {
  const [clerk] = users
  const exchanged = async () =>
    keycloak.exchange('agent-a', await keycloak.byPassword('hospital-shared', clerk))
  return [
    {
      name: 'a refresh token',
      token: async () => (await keycloak.byCode('hospital-ui', clerk)).refresh_token ?? '',
      want: 'kid',
    },
    {
      name: 'an access token of an offline session',
      token: async () => (await keycloak.byCode('hospital-ui', clerk, 'openid offline_access')).access_token,
      want: 'accepted',
    },
    { name: 'exchanged by an agent that is not listed', token: exchanged, want: 'agent-a' },
    {
      name: 'the same where any client counts',
      token: exchanged,
      user: { clients: 'any' },
      want: 'accepted',
    },
  ]
}

/** Service accounts, from the default to one of which a realm has taken away every mark; what is left is what `clients` is for. */
function robotRows(keycloak: Keycloak): readonly Row[] {
  const byClient = (client: string) => async () => (await keycloak.byClient(client)).access_token
  const bySub = { id: 'sub', groupsAbsent: 'none' } as const
  const afterAll = { ...bySub, userClaim: 'auth_time' }
  const refreshed = async () => keycloak.refresh('robot-session', await keycloak.byClient('robot-session'))
  const exchanged = async () =>
    keycloak.exchange('hospital-gateway', (await keycloak.byClient('robot-session')).access_token)
  return [
    { name: 'a service account', token: byClient('robot'), want: 'clientHost' },
    { name: 'one without scopes', token: byClient('robot-bare'), user: bySub, want: 'jti' },
    {
      name: 'one that is named like the clerk',
      token: byClient('robot-named'),
      user: { groupsAbsent: 'none' },
      want: 'jti',
    },
    { name: 'one with a session', token: byClient('robot-session'), user: bySub, want: 'jti' },
    { name: 'the same, refreshed: no mark is left', token: refreshed, user: bySub, want: 'accepted' },
    {
      name: 'the same, refreshed, asked for `auth_time`',
      token: refreshed,
      user: afterAll,
      want: 'auth_time',
    },
    {
      name: 'the same, refreshed, its client not listed',
      token: refreshed,
      user: { ...bySub, clients: ['hospital-ui'] },
      want: 'robot-session',
    },
    {
      name: 'exchanged by an accepted client: no mark is left',
      token: exchanged,
      user: bySub,
      want: 'accepted',
    },
    { name: 'exchanged, asked for `auth_time`', token: exchanged, user: afterAll, want: 'auth_time' },
  ]
}
