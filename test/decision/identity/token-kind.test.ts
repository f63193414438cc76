import { expect } from 'chai'
import { findKindProblem } from '../../../src/decision/identity/token-kind.ts'
import { parseCompactJws } from '../../../src/decision/jws/compact.ts'
import { forge, signer } from '../../support/forge.ts'

describe('decision/identity/token-kind', () => {
  const table: readonly {
    readonly name: string
    readonly claims: Readonly<Record<string, unknown>>
    readonly typ?: string
    /** The claim that the reason names; `undefined` for an access token. */
    readonly named?: string
  }[] = [
    { name: 'an access token', claims: { sub: 'clerk' } },
    { name: 'one that says so', claims: { typ: 'Bearer' } },
    { name: 'one that says so in other letters', claims: { typ: 'BEARER' } },
    { name: 'one of Cognito', claims: { token_use: 'access' } },
    { name: 'one with a nonce that Keycloak calls Bearer', claims: { typ: 'Bearer', nonce: 'n' } },
    { name: 'one with a nonce that Cognito calls access', claims: { token_use: 'access', nonce: 'n' } },
    { name: 'one with a nonce of RFC 9068', claims: { nonce: 'n' }, typ: 'Application/AT+jwt' },
    { name: 'a token with a nonce and nothing else', claims: { nonce: 'n' }, named: 'nonce' },
    { name: 'one without type in its header', claims: { nonce: 'n' }, typ: 'JWT', named: 'nonce' },
    { name: 'an ID token', claims: { typ: 'ID' }, named: 'typ' },
    { name: 'an ID token in the guise of RFC 9068', claims: { typ: 'ID' }, typ: 'at+jwt', named: 'typ' },
    { name: 'an offline token', claims: { typ: 'Offline' }, named: 'typ' },
    { name: 'a type that is no text', claims: { typ: ['Bearer'] }, named: 'typ' },
    { name: 'an ID token of Cognito', claims: { token_use: 'id' }, named: 'token_use' },
    { name: 'two words that differ', claims: { typ: 'Bearer', token_use: 'id' }, named: 'token_use' },
    { name: 'the hash of an access token', claims: { typ: 'Bearer', at_hash: 'x' }, named: 'at_hash' },
    { name: 'the hash of a code', claims: { c_hash: 'x' }, typ: 'at+jwt', named: 'c_hash' },
    { name: 'the hash of a state', claims: { s_hash: null }, named: 's_hash' },
    { name: 'a logout token', claims: { events: {} }, named: 'events' },
  ]
  for (const { name, claims, typ = 'JWT', named } of table) {
    it(`${named === undefined ? 'finds nothing wrong with' : 'refuses'} ${name}`, () => {
      const text = forge({ alg: 'EdDSA', kid: 'k', typ }, claims, signer('chain'))
      const jws = parseCompactJws(text, { maxBytes: 4096, typ: ['at+jwt', 'JWT'], reading: 'provider' })
      if (jws.kind === 'jws-fault') throw new TypeError(jws.reason)
      const problem = findKindProblem(jws)
      if (named === undefined) expect(problem).to.equal(undefined)
      else expect(problem).to.be.a('string').that.includes(`\`${named}\``)
    })
  }
})
