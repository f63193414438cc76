import { expect } from 'chai'
import type { UserIssuer } from '../../../src/decision/identity/user-issuer.ts'
import { parseProviderKeys } from '../../../src/decision/jws/provider-keys.ts'
import { forge, good, readJwks, signer } from '../../support/forge.ts'
import { accessClaims, accessHeader, hospitalIdp, now, nowMs } from '../../support/hospital.ts'
import { verifyAtOnce } from '../../support/proofs.ts'

const hospital: UserIssuer = {
  name: 'hospital',
  issuer: hospitalIdp,
  provider: 'generic',
  audience: ['hospital-agents'],
  keys: good(parseProviderKeys(readJwks('hospital-idp'))),
  id: 'sub',
  groups: 'groups',
  groupsAbsent: 'refuse',
  groupsAllow: ['billing', 'clinicians'],
  clients: ['hospital-ui'],
  userClaim: 'sid',
}

describe('decision/identity/user-token', () => {
  it('begins a chain for the user, with the groups that matter', async () => {
    expect(await verify({})).to.deep.equal({
      kind: 'first-hop',
      subject: { issuerName: 'hospital', issuer: hospitalIdp, id: 'clerk', groups: ['billing'] },
      scopes: ['insurance:read', 'tasks:write'],
      issuedAt: now - 60,
      expiresAt: now + 240,
      authTime: now - 600,
    })
  })

  const accepted: readonly {
    readonly name: string
    readonly claims: object
    readonly issuer?: Partial<UserIssuer>
    readonly want: object
  }[] = [
    {
      name: 'takes the id from the configured claim',
      claims: {},
      issuer: { id: 'preferred_username' },
      want: { subject: { id: 'clerk' } },
    },
    {
      name: 'takes groups from the configured claim',
      claims: { 'https://roles': ['clinicians'] },
      issuer: { groups: 'https://roles' },
      want: { subject: { groups: ['clinicians'] } },
    },
    { name: 'takes one audience as text', claims: { aud: 'hospital-agents' }, want: {} },
    {
      name: 'takes the client from client_id (RFC 9068)',
      claims: { azp: undefined, client_id: 'hospital-ui' },
      want: {},
    },
    {
      name: 'takes any client if the configuration says so',
      claims: { azp: 'other-ui' },
      issuer: { clients: 'any' },
      want: {},
    },
    {
      name: 'takes scopes from a list in scp (Okta)',
      claims: { scope: undefined, scp: ['a', 'b', 'a'] },
      want: { scopes: ['a', 'b'] },
    },
    { name: 'takes no scope for the empty set', claims: { scope: undefined }, want: { scopes: [] } },
    {
      name: 'rounds times down, to whole seconds',
      claims: { iat: now - 60.5, exp: now + 240.9, auth_time: now - 600.1 },
      want: { issuedAt: now - 61, expiresAt: now + 240, authTime: now - 601 },
    },
    {
      name: 'takes a user without groups for one in no group when it is told so',
      claims: { groups: undefined },
      issuer: { groupsAbsent: 'none' },
      want: { subject: { groups: [] } },
    },
    {
      name: 'takes a user in other groups for one in no group',
      claims: { groups: ['everybody'] },
      want: { subject: { groups: [] } },
    },
    {
      name: 'takes an address that the provider has verified',
      claims: { email: 'clerk@hospital.example', email_verified: true },
      issuer: { id: 'email' },
      want: { subject: { id: 'clerk@hospital.example' } },
    },
    {
      name: 'takes a token without auth_time',
      claims: { auth_time: undefined },
      want: { authTime: undefined },
    },
  ]
  for (const { name, claims, issuer, want } of accepted) {
    it(name, async () => {
      const firstHop = await verify(claims, issuer)
      expect(firstHop).to.have.property('kind', 'first-hop')
      for (const [key, value] of Object.entries(want)) {
        if (key === 'subject') expect(firstHop).to.have.property(key).that.deep.includes(value)
        else expect(firstHop).to.have.property(key).that.deep.equals(value)
      }
    })
  }

  const refused: readonly { readonly name: string; readonly claims: object; readonly want: string }[] = [
    { name: 'scopes with line feeds', claims: { scope: 'a\nb' }, want: 'token_invalid' },
    { name: 'an auth_time that is no time', claims: { auth_time: 'yesterday' }, want: 'token_invalid' },
    { name: 'a client without name', claims: { azp: '' }, want: 'token_invalid' },
    {
      name: "a client's own token as Auth0 marks it",
      claims: { sub: 'hospital-ui@clients' },
      want: 'token_invalid',
    },
    { name: 'a grant without user', claims: { gty: 'client-credentials' }, want: 'token_invalid' },
    { name: 'groups that are not all texts', claims: { groups: ['billing', 7] }, want: 'token_invalid' },
    { name: 'a very long id', claims: { sub: 'x'.repeat(256) }, want: 'token_invalid' },
    { name: 'an audience that is only a part', claims: { aud: 'hospital' }, want: 'token_audience' },
    { name: 'what is expired', claims: { exp: now - 31 }, want: 'token_expired' },
  ]
  for (const { name, claims, want } of refused) {
    it(`refuses ${name}`, async () => {
      expect(await verify(claims)).to.include({ code: want })
    })
  }

  const inOrder: readonly { readonly name: string; readonly claims: object; readonly want: string }[] = [
    {
      name: 'its kind before its audience',
      claims: { typ: 'ID', aud: 'hospital-ui' },
      want: 'token_invalid',
    },
    { name: 'its kind before its end', claims: { typ: 'ID', exp: now - 31 }, want: 'token_invalid' },
    { name: 'its audience before its end', claims: { aud: 'other', exp: now - 31 }, want: 'token_audience' },
    {
      name: 'its audience before its client',
      claims: { aud: 'other', azp: 'other' },
      want: 'token_audience',
    },
    { name: 'its end before its client', claims: { exp: now - 31, azp: 'other' }, want: 'token_expired' },
  ]
  for (const { name, claims, want } of inOrder) {
    it(`asks of a token ${name}`, () => expect(verify(claims)).to.include({ code: want }))
  }

  const named: readonly {
    readonly claims: object
    readonly issuer?: Partial<UserIssuer>
    readonly want: string
  }[] = [
    { claims: { iss: 'https://idp.elsewhere.example' }, want: 'https://idp.elsewhere.example' },
    { claims: { iss: undefined }, want: 'iss' },
    { claims: { iat: '1' }, want: 'iat' },
    { claims: { exp: '1' }, want: 'exp' },
    { claims: { exp: 1e300 }, want: 'exp' },
    { claims: { nbf: null }, want: 'nbf' },
    { claims: { auth_time: -1 }, want: 'auth_time' },
    { claims: { sub: 7 }, want: 'sub' },
    { claims: { groups: 'billing' }, issuer: { groupsAbsent: 'none' }, want: 'groups' },
    { claims: { groups: null }, issuer: { groupsAbsent: 'none' }, want: 'groups' },
    { claims: { groups: [7] }, issuer: { groupsAbsent: 'none' }, want: 'groups' },
    {
      claims: { roles: [], hasgroups: true, _claim_names: { roles: 'src1' } },
      issuer: { groups: 'roles' },
      want: 'roles',
    },
    { claims: { phone_number: '1' }, issuer: { id: 'phone_number' }, want: 'phone_number_verified' },
    { claims: {}, issuer: { userClaim: 'uid' }, want: 'uid' },
    { claims: { scope: 7 }, want: 'scope' },
  ]
  for (const { claims, issuer, want } of named) {
    it(`names \`${want}\` when it is what is wrong with ${JSON.stringify(claims)}`, () => {
      const refused = verify(claims, issuer)
      expect(refused).to.have.property('code', 'token_invalid')
      expect(refused).to.have.property('reason').that.includes(`\`${want}\``)
    })
  }

  const told: readonly {
    readonly claims: object
    readonly issuer?: Partial<UserIssuer>
    readonly want: string
  }[] = [
    { claims: { aud: 'other' }, want: '`aud` lacks `hospital-agents`, found `other`' },
    { claims: { aud: ['a', 'b'] }, want: '`aud` lacks `hospital-agents`, found `a`, `b`' },
    {
      claims: { aud: [...'abcdefg'] },
      want: '`aud` lacks `hospital-agents`, found `a`, `b`, `c`, `d`, `e`, 2 more',
    },
    { claims: { aud: undefined }, want: '`aud` lacks `hospital-agents`, found nothing' },
    {
      claims: { exp: 1_800_000_000, iat: 1_800_000_009 },
      want: 'expected `exp` after `iat`, found `exp` 1800000000 and `iat` 1800000009',
    },
    { claims: { iat: 7e15, exp: 8e15 }, want: '`iat` lies in the future: 7000000000000000, now ' },
    { claims: { nbf: 4_102_444_800 }, want: '`nbf` lies in the future: 2100-01-01T00:00:00Z, now ' },
    { claims: { iat: 1, exp: 946_684_800 }, want: '`exp` 2000-01-01T00:00:00Z, now ' },
    { claims: {}, issuer: { id: 'mail' }, want: 'expected `mail` to name a user, found nothing' },
    { claims: { scope: 7 }, want: 'expected `scope` to be a list of scopes, found `7`' },
    {
      claims: { realm_access: { roles: ['a'] } },
      issuer: { groups: 'realm_access.roles' },
      want: 'found none; `realm_access` is an object: write `groups: /realm_access/roles`',
    },
  ]
  for (const { claims, issuer, want } of told) {
    it(`says what was found in ${JSON.stringify(claims)}`, () => {
      expect(verify(claims, issuer)).to.have.property('reason').that.includes(want)
    })
  }

  it('keeps groups of which none counts for the reason alone', () => {
    const unlisted = verify({ groups: ['/advisors'] })
    expect(unlisted)
      .to.deep.include({ unlistedGroups: ['/advisors'] })
      .and.to.have.nested.property('subject.groups').that.is.empty
    for (const groups of [[], ['billing', '/advisors']])
      expect(verify({ groups })).to.not.have.property('unlistedGroups')
  })

  it('believes only the issuers that this ingress may speak for', async () => {
    expect(verifyAtOnce(bearer({}), [], nowMs)).to.include({ code: 'token_invalid' })
  })
})

function verify(claims: object, issuer: Partial<UserIssuer> = {}) {
  return verifyAtOnce(bearer(claims), [{ ...hospital, ...issuer }], nowMs)
}

function bearer(claims: object): ReadonlyMap<string, readonly string[]> {
  const token = forge(accessHeader, { ...accessClaims, ...claims }, signer('hospital-idp'))
  return new Map([['authorization', [`Bearer ${token}`]]])
}
