import { expect } from 'chai'
import type { ProviderName } from '../../../src/base/providers/provider-rules.ts'
import { findUserProblem } from '../../../src/decision/identity/token-user.ts'
import type { UserIssuer } from '../../../src/decision/identity/user-issuer.ts'
import type { JsonValue } from '../../../src/decision/jws/json.ts'
import { unknownKeys } from '../../../src/decision/jws/provider-keys.ts'

type Claims = Readonly<Record<string, JsonValue>>

const issuer: UserIssuer = {
  name: 'hospital',
  issuer: 'https://idp.hospital.example',
  provider: 'generic',
  audience: ['hospital-agents'],
  keys: unknownKeys,
  id: 'sub',
  groups: 'groups',
  groupsAbsent: 'refuse',
  groupsAllow: [],
  clients: ['ui'],
  userClaim: 'uid',
}
const problemOf = (claims: Claims, overlay: Partial<UserIssuer> = {}) =>
  findUserProblem(new Map(Object.entries({ sub: 'f3b5', azp: 'ui', uid: 'f3b5', ...claims })), 'ui', {
    ...issuer,
    ...overlay,
  })

describe('decision/identity/token-user', () => {
  const users: readonly { readonly name: string; readonly claims: Claims }[] = [
    { name: 'a user', claims: {} },
    { name: 'a user of Keycloak', claims: { preferred_username: 'clerk', jti: 'onrtac:1', client_id: 'ui' } },
    { name: 'a refreshed token of Keycloak', claims: { jti: 'onrtrt:1' } },
    {
      name: 'a user of Entra',
      claims: { idtyp: 'user', xms_idrel: '1 8', xms_act_fct: '2 4', xms_sub_fct: '2' },
    },
    { name: 'a user of Auth0', claims: { sub: 'auth0|1', gty: 'password' } },
    { name: 'a user of UAA', claims: { grant_type: 'authorization_code', user_name: 'clerk' } },
    { name: 'a user of Cognito', claims: { token_use: 'access', username: 'clerk' } },
    { name: 'a user with a profile', claims: { sub_profile: 'natural_person user' } },
    {
      name: 'a user whose name only contains the words',
      claims: { username: 'my-service-account-x', email: 'a@clients.example' },
    },
    { name: 'a token whose user may be acted for', claims: { may_act: new Map([['sub', 'agent']]) } },
  ]
  for (const { name, claims } of users) {
    it(`finds nothing wrong with ${name}`, () => expect(problemOf(claims)).to.equal(undefined))
  }

  const others: readonly { readonly claims: Claims; readonly named: string }[] = [
    ...['clientHost', 'clientAddress', 'clientId'].flatMap((claim) => [
      { claims: { [claim]: 'x' }, named: claim },
      { claims: { [claim]: null }, named: claim },
    ]),
    ...['trrtcc:1', 'onrtcc:1', 'ofltcc:1', 'ntuncc:1'].map((jti) => ({ claims: { jti }, named: 'jti' })),
    ...['app', 'device', 'USER', '', null, ['user'], true].map((idtyp) => ({
      claims: { idtyp },
      named: 'idtyp',
    })),
    ...['7', '1 7', '9', '13', '33', ['33'], 7].map((xms_idrel) => ({
      claims: { xms_idrel },
      named: 'xms_idrel',
    })),
    ...['11', '3 13', [13]].map((xms_sub_fct) => ({ claims: { xms_sub_fct }, named: 'xms_sub_fct' })),
    ...['11', '9 3 11'].map((xms_act_fct) => ({ claims: { xms_act_fct }, named: 'xms_act_fct' })),
    ...[
      'client-credentials',
      'client_credentials',
      'CLIENT_CREDENTIALS',
      ['password', 'client-credentials'],
    ].flatMap((grant) => [
      { claims: { gty: grant }, named: 'gty' },
      { claims: { grant_type: grant }, named: 'grant_type' },
    ]),
    { claims: { sub_type: 'client' }, named: 'sub_type' },
    { claims: { aut: 'APPLICATION' }, named: 'aut' },
    ...['service', 'ai_agent', '', null].map((sub_profile) => ({
      claims: { sub_profile },
      named: 'sub_profile',
    })),
    ...['sub', 'preferred_username', 'username', 'user_name', 'upn', 'unique_name', 'email'].flatMap(
      (claim) =>
        [
          'ui',
          'service-account-other',
          'SERVICE-ACCOUNT-OTHER',
          'other@clients',
          'robot@project.iam.gserviceaccount.com',
          'system:serviceaccount:billing:agent-a',
          'spiffe://hospital.example/ns/billing/sa/agent-a',
        ].map((name) => ({ claims: { [claim]: name }, named: claim })),
    ),
    { claims: { act: new Map([['sub', 'agent']]) }, named: 'act' },
    { claims: { act: null }, named: 'act' },
  ]
  for (const { claims, named } of others) {
    it(`refuses ${JSON.stringify(claims, mapToObject)}, and names \`${named}\``, () => {
      expect(problemOf(claims)).to.be.a('string').that.includes(`\`${named}\``)
      expect(problemOf({ ...claims, sid: 'f3b5' }, { userClaim: 'sid' })).to.include(`\`${named}\``)
    })
  }

  it('looks at the claim that is configured as id, too', () => {
    expect(problemOf({ employee: 'ui' })).to.equal(undefined)
    expect(problemOf({ employee: 'ui' }, { id: 'employee' })).to.include('`employee`')
  })

  describe('by the evidence of a provider', () => {
    const tenant = 'https://sts.windows.net/72f988bf/'
    const cases: readonly (readonly [
      provider: ProviderName,
      shown: Claims,
      missing: Claims,
      named: string,
    ])[] = [
      ['keycloak', { typ: 'Bearer' }, { typ: 'ID' }, 'typ'],
      ['keycloak', { typ: 'bearer' }, {}, 'typ'],
      ['entra', { scp: 'read', tid: '72f988bf' }, { scp: '/', tid: '72f988bf' }, 'scp'],
      ['entra', { scp: 'read', tid: '72f988bf' }, { scp: 'read', tid: '72f988b' }, 'tid'],
      ['okta', { uid: '00u' }, { uid: '' }, 'uid'],
      ['auth0', { sub: 'auth0|1' }, { sub: 'auth0' }, 'sub'],
      ['cognito', { token_use: 'access', username: 'c' }, { token_use: 'id', username: 'c' }, 'token_use'],
      ['cognito', { token_use: 'access', username: 'c' }, { token_use: 'access' }, 'username'],
    ]
    for (const [provider, shown, missing, named] of cases) {
      it(`takes ${JSON.stringify(shown)} of ${provider} for a user, and not ${JSON.stringify(missing)}`, () => {
        const overlay = { provider, issuer: tenant, userClaim: undefined }
        expect(problemOf({ uid: null, ...shown }, overlay)).to.equal(undefined)
        expect(problemOf({ uid: null, ...missing }, overlay)).to.include(`\`${named}\``)
      })
    }
  })

  describe('with `userClaim`', () => {
    const nothing = [
      null,
      '',
      ' ',
      '\t',
      '/',
      '-',
      'false',
      'FALSE',
      'no',
      'None',
      'null',
      '0',
      false,
      0,
      -1,
      [],
      [''],
      [7],
      ['/'],
      new Map(),
    ]
    for (const value of nothing) {
      it(`refuses ${JSON.stringify(value, mapToObject)}, which shows no user, and names the claim`, () => {
        expect(problemOf({ shown: value }, { userClaim: 'shown' })).to.include('`shown`')
      })
    }

    for (const value of ['f3b5', 'ж', 'false positive', true, 1, 1.5, ['pwd'], ['', 'otp']]) {
      it(`takes ${JSON.stringify(value)} for a user`, () => {
        expect(problemOf({ shown: value }, { userClaim: 'shown' })).to.equal(undefined)
      })
    }

    for (const userClaim of ['sid', 'toString', '__proto__']) {
      it(`refuses a token without \`${userClaim}\``, () => {
        expect(problemOf({}, { userClaim })).to.include(`\`${userClaim}\``)
      })
    }
  })
})

function mapToObject(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value
}
