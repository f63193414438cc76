import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { expect } from 'chai'
import { findWeakness } from '../../../src/decision/jws/weak-key.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
const ed25519 = (hex: string) => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: Buffer.from(hex, 'hex').toString('base64url'),
})
const identity = `01${'00'.repeat(31)}`

describe('decision/jws/weak-key', () => {
  const weak: readonly { readonly name: string; readonly jwk: object }[] = [
    { name: 'an RSA key of 1024 bits', jwk: { ...rsa, n: rsa.n?.slice(0, 171) } },
    { name: 'the exponent 1', jwk: { ...rsa, e: 'AQ' } },
    { name: 'the exponent 0', jwk: { ...rsa, e: '' } },
    { name: 'an even exponent', jwk: { ...rsa, e: 'Ag' } },
    { name: 'the identity of the curve', jwk: ed25519(identity) },
    { name: 'the same with the sign bit', jwk: ed25519(`01${'00'.repeat(30)}80`) },
    { name: 'a point of order 2', jwk: ed25519(`ec${'ff'.repeat(30)}7f`) },
    { name: 'a point of order 4', jwk: ed25519('00'.repeat(32)) },
    {
      name: 'a point of order 8',
      jwk: ed25519('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'),
    },
  ]
  for (const { name, jwk } of weak) {
    it(`finds ${name}`, () => expect(findWeakness(toKey(jwk))).to.be.a('string'))
  }

  for (const [type, key] of Object.entries({
    rsa: toKey(rsa),
    'rsa with the exponent 3': toKey({ ...rsa, e: 'Aw' }),
    ed25519: generateKeyPairSync('ed25519').publicKey,
    ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
  })) {
    it(`finds nothing wrong with ${type}`, () => expect(findWeakness(key)).to.equal(undefined))
  }

  it('knows why: under the identity a signature without a key verifies', () => {
    const signature = Buffer.concat([Buffer.from(identity, 'hex'), Buffer.alloc(32)])
    expect(verify(null, Buffer.from('any text'), toKey(ed25519(identity)), signature)).to.equal(true)
  })
})

function toKey(jwk: object) {
  return createPublicKey({ key: { ...jwk }, format: 'jwk' })
}
