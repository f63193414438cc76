import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { parseJwks, resolveKey } from '../../../src/decision/jws/key-set.ts'
import { good, readJwks, readKey } from '../../support/forge.ts'

const [chain, es256, idp] = JSON.parse(readJwks('chain', 'chain-es256', 'hospital-idp')).keys
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })

describe('decision/jws/key-set', () => {
  it('reads each key with the one algorithm it has', () => {
    const keySet = good(parseJwks(JSON.stringify({ keys: [chain, es256] })))
    expect(['chain-1', 'chain-es256'].map((kid) => resolveKey(keySet, kid)?.alg)).to.deep.equal([
      'EdDSA',
      'ES256',
    ])
  })

  it('takes the algorithm from the key where no alg is given', () => {
    const keys = [chain, es256].map((key) => ({ ...key, alg: undefined }))
    const keySet = good(parseJwks(JSON.stringify({ keys })))
    expect([...keySet.keys.values()].map(({ alg }) => alg)).to.deep.equal(['EdDSA', 'ES256'])
  })

  for (const kid of ['__proto__', 'toString', '../chain-1', '']) {
    it(`finds no key named \`${kid}\``, () => {
      expect(resolveKey(good(parseJwks(readJwks('chain'))), kid)).to.equal(undefined)
    })
  }

  const passedOver: readonly { readonly name: string; readonly key: object }[] = [
    { name: 'for encryption', key: { ...idp, kid: 'enc', use: 'enc', alg: 'RSA-OAEP' } },
    { name: 'for encryption that names no algorithm', key: { ...es256, use: 'enc', alg: undefined } },
    { name: 'for an algorithm that we do not use', key: { ...idp, kid: 'rs512', alg: 'RS512' } },
    { name: 'on a curve that we do not use', key: { ...p384, kid: 'p384' } },
    { name: 'of an algorithm that signs no chains', key: idp },
    { name: 'of an algorithm under the name of RFC 9864', key: { ...chain, kid: 'new', alg: 'Ed25519' } },
  ]
  for (const { name, key } of passedOver) {
    it(`passes over a key ${name}`, () => {
      const keySet = good(parseJwks(JSON.stringify({ keys: [key, chain] })))
      expect([...keySet.keys.keys()]).to.deep.equal(['chain-1'])
    })
  }

  const refused: readonly { readonly name: string; readonly text: string }[] = [
    { name: 'that is no JSON', text: '<html>' },
    { name: 'without keys', text: '{}' },
    { name: 'that is empty', text: '{"keys":[]}' },
    { name: 'of texts', text: '{"keys":["chain-1"]}' },
    { name: 'with a private key', text: `{"keys":[${readKey('chain')}]}` },
    { name: 'with a shared secret', text: '{"keys":[{"kty":"oct","kid":"k","k":"AAAA","alg":"HS256"}]}' },
    { name: 'with a key without kid', text: JSON.stringify({ keys: [{ ...chain, kid: undefined }] }) },
    { name: 'with one kid twice', text: JSON.stringify({ keys: [chain, { ...es256, kid: chain.kid }] }) },
    {
      name: 'with an Ed25519 key of small order',
      text: JSON.stringify({ keys: [{ ...chain, x: 'A'.repeat(43) }] }),
    },
    {
      name: 'with an algorithm of another kind of key',
      text: JSON.stringify({ keys: [chain, { ...idp, alg: 'ES256' }] }),
    },
    {
      name: 'with a point that is not on its curve',
      text: JSON.stringify({ keys: [{ ...es256, y: es256.x }] }),
    },
    { name: 'that is too large', text: `{"keys":[],"x":"${'x'.repeat(256 * 1024)}"}` },
  ]
  for (const { name, text } of refused) {
    it(`refuses a set ${name}`, () => {
      expect(isInvalid(parseJwks(text))).to.equal(true)
    })
  }
})
