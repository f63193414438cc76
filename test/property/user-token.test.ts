import { expect } from 'chai'
import fc from 'fast-check'
import type { FirstHop } from '../../src/base/model/chain.ts'
import type { Deny } from '../../src/base/model/decision.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import type { UserIssuer } from '../../src/decision/identity/user-issuer.ts'
import { parseStrictJson } from '../../src/decision/jws/json.ts'
import { parseProviderKeys } from '../../src/decision/jws/provider-keys.ts'
import { forge, good, readJwks, signer } from '../support/forge.ts'
import { accessClaims, hospitalIdp, nowMs } from '../support/hospital.ts'
import { toPlainJson } from '../support/plain-json.ts'
import { verifyAtOnce } from '../support/proofs.ts'

const sign = signer('partner-idp')
const header = { alg: 'EdDSA', kid: 'partner-1', typ: 'JWT' }
const issuer: UserIssuer = {
  name: 'hospital',
  issuer: hospitalIdp,
  provider: 'generic',
  audience: ['hospital-agents'],
  keys: good(parseProviderKeys(readJwks('partner-idp'))),
  id: 'sub',
  groups: 'groups',
  groupsAbsent: 'refuse',
  groupsAllow: ['billing'],
  clients: ['hospital-ui'],
  userClaim: 'sid',
}

/** Every claim that the verification reads, with values that it takes of the clerk. */
const read = new Set([
  ...['iss', 'aud', 'iat', 'exp', 'nbf', 'auth_time', 'sub', 'groups', 'scope', 'scp', 'sid', 'jti'],
  ...['typ', 'token_use', 'nonce', 'at_hash', 'c_hash', 's_hash', 'events'],
  ...['azp', 'client_id', 'cid', 'appid', 'clientHost', 'clientAddress', 'clientId'],
  ...[
    'idtyp',
    'gty',
    'grant_type',
    'sub_type',
    'aut',
    'sub_profile',
    'xms_idrel',
    'xms_sub_fct',
    'xms_act_fct',
  ],
  ...['act', 'cnf', 'preferred_username', 'username', 'user_name', 'upn', 'unique_name', 'email'],
  ...['_claim_names', 'hasgroups'],
])
/** JSON that our own documents could not hold, too: fractions, numbers of any size, ill-formed text, nesting. */
const anyJson = fc.oneof(
  fc.json({ maxDepth: 8 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.bigInt().map(String),
  fc.constantFrom('1e999', '-0', '"\\ud800"', '{"__proto__":{"sub":"root"}}', '{"constructor":1}'),
)

describe('property/user-token', () => {
  it('a claim that nobody reads changes nothing, whatever it is', () => {
    const names = fc
      .oneof(
        fc.string({ unit: 'grapheme' }),
        fc.constantFrom('__proto__', 'constructor', 'toString', 'sub ', 'SUB'),
      )
      .filter((name) => !read.has(name) && !name.startsWith('groups:src') && !(name in accessClaims))
    const plain = verify(JSON.stringify(accessClaims))
    expect(plain).to.have.property('kind', 'first-hop')
    fc.assert(
      fc.property(names, anyJson, (name, value) => {
        const text = `${JSON.stringify(accessClaims).slice(0, -1)},${JSON.stringify(name)}:${value}}`
        expect(verify(text)).to.deep.equal(plain)
      }),
      { numRuns: 500 },
    )
  })

  it('claims of any shape are admitted or refused with a code, and a chain can carry on what is admitted', () => {
    const names = fc.constantFrom(...read, ...Object.keys(accessClaims))
    fc.assert(
      fc.property(fc.dictionary(names, anyJson, { maxKeys: 4 }), (changed) => {
        const others = Object.entries(accessClaims).filter(([name]) => !(name in changed))
        const members = [
          ...others.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`),
          ...Object.entries(changed).map(([name, value]) => `${JSON.stringify(name)}:${value}`),
        ]
        const answer = verify(`{${members.join()}}`)
        if (answer.kind === 'deny') expect(answer.code).to.match(/^token_/)
        else expectToFitIntoChain(answer)
      }),
      { numRuns: 1000 },
    )
  })

  it('no token without the claim that shows a user begins a chain', () => {
    const values = fc.dictionary(fc.constantFrom(...[...read].filter((name) => name !== 'sid')), anyJson, {
      maxKeys: 4,
    })
    fc.assert(
      fc.property(values, (changed) => {
        const { sid: _sid, ...others } = accessClaims
        const parsed = Object.fromEntries(
          Object.entries(changed).map(([name, value]) => [name, JSON.parse(value)]),
        )
        expect(verify(JSON.stringify({ ...others, ...parsed }))).to.have.property('kind', 'deny')
      }),
      { numRuns: 300 },
    )
  })

  it('JSON of a provider is read as JSON.parse reads it, or not at all', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const text = `{"x":${value}}`
        const found = parseStrictJson(text, 'provider')
        if (!isInvalid(found)) expect(toPlainJson(found.get('x'))).to.deep.equal(JSON.parse(value))
      }),
      { numRuns: 1000 },
    )
  })
})

function verify(claims: string): FirstHop | Deny {
  const token = forge(header, claims, sign)
  return verifyAtOnce(new Map([['authorization', [`Bearer ${token}`]]]), [issuer], nowMs)
}

function expectToFitIntoChain({ subject, issuedAt, expiresAt, authTime }: FirstHop): void {
  for (const time of [issuedAt, expiresAt, authTime ?? 0])
    expect(Number.isSafeInteger(time) && time >= 0).to.equal(true)
  expect(expiresAt).to.be.above(issuedAt)
  const { id, groups } = subject
  const carried = parseStrictJson(JSON.stringify({ id, groups, issuedAt, expiresAt, authTime }))
  expect(isInvalid(carried)).to.equal(false)
}
