import { expect } from 'chai'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { parsePublicHalf, parseSigningKey } from '../../../src/decision/jws/signing-key.ts'
import { good, readKey } from '../../support/forge.ts'

const chain = JSON.parse(readKey('chain'))

describe('decision/jws/signing-key', () => {
  for (const [name, alg] of [
    ['chain', 'EdDSA'],
    ['chain-es256', 'ES256'],
  ] as const) {
    it(`reads a private key for ${alg}`, () => {
      expect(good(parseSigningKey(readKey(name))).public.alg).to.equal(alg)
    })
  }

  it('keeps private members out of the public half', () => {
    const key = good(parsePublicHalf(readKey('chain')))
    expect(key.jwk).to.have.all.keys('kty', 'crv', 'x', 'kid', 'alg', 'use')
    expect(key.key.type).to.equal('public')
  })

  const refused: readonly { readonly name: string; readonly text: string }[] = [
    { name: 'a text that is no JSON', text: '-----BEGIN PRIVATE KEY-----' },
    { name: 'a public key', text: JSON.stringify({ ...chain, d: undefined }) },
    { name: 'a key without kid', text: JSON.stringify({ ...chain, kid: undefined }) },
    { name: 'an RSA key', text: readKey('hospital-idp') },
    {
      name: "a private key beside another one's public key",
      text: JSON.stringify({ ...chain, x: JSON.parse(readKey('stranger')).x }),
    },
    { name: 'a private key that is none', text: JSON.stringify({ ...chain, d: 'AAAA' }) },
  ]
  for (const { name, text } of refused) {
    it(`refuses ${name}`, () => {
      expect(isInvalid(parseSigningKey(text))).to.equal(true)
    })
  }
})
