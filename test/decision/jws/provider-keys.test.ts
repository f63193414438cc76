import { expect } from 'chai'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { parseCompactJws } from '../../../src/decision/jws/compact.ts'
import {
  findSigningKey,
  keyNotices,
  type ProviderKeys,
  parseProviderKeys,
} from '../../../src/decision/jws/provider-keys.ts'
import { forge, good, readJwks, readKey, signer } from '../../support/forge.ts'

const [ed25519, p256, rsa] = JSON.parse(readJwks('partner-idp', 'chain-es256', 'hospital-idp')).keys
const exposed = JSON.parse(readKey('hospital-idp'))

describe('decision/jws/provider-keys', () => {
  it('reads each key with the one algorithm it has, given or not', () => {
    for (const keys of [
      [ed25519, p256, rsa],
      [ed25519, p256, rsa].map((key) => ({ ...key, alg: undefined })),
    ])
      expect([...parse(keys).keys.values()].map(({ alg }) => alg)).to.deep.equal(['EdDSA', 'ES256', 'RS256'])
  })

  it('keeps an RSA key to PS256 when the set says so', () => {
    expect(parse([{ ...rsa, alg: 'PS256' }]).keys.get(rsa.kid)?.alg).to.equal('PS256')
  })

  const unusable: readonly { readonly name: string; readonly key: unknown; readonly named: string }[] = [
    {
      name: 'for Ed448',
      key: { ...ed25519, kid: 'x', crv: 'Ed448', alg: undefined },
      named: '`Ed448` is not taken',
    },
    { name: 'for EdDSA over Ed448', key: { ...ed25519, kid: 'x', crv: 'Ed448' }, named: 'Ed448' },
    { name: 'without kid', key: { ...ed25519, kid: undefined }, named: 'key 1: expected a short `kid`' },
    { name: 'with an empty kid', key: { ...ed25519, kid: '' }, named: 'key 1: ' },
    { name: 'that is weak', key: { ...rsa, kid: 'x', e: 'AQ' }, named: 'exponent' },
    { name: 'that is malformed', key: { ...p256, kid: 'x', y: '!' }, named: 'well-formed' },
    { name: 'of an unknown kind', key: { kid: 'x', kty: 'AKP', alg: 'ML-DSA-44' }, named: '`ML-DSA-44`' },
    { name: 'of no kind', key: { kid: 'x' }, named: 'key 1 `x`' },
    { name: 'for RS512', key: { ...rsa, kid: 'x', alg: 'RS512' }, named: '`RS512` is not taken' },
    {
      name: 'of another algorithm than it can have',
      key: { ...rsa, kid: 'x', alg: 'ES256' },
      named: '`ES256`',
    },
    { name: 'with an algorithm that is no text', key: { ...rsa, kid: 'x', alg: 7 }, named: '`7`' },
    { name: 'that is a shared secret', key: { kid: 'x', kty: 'oct', k: 'AAAA' }, named: 'shared secret' },
    { name: 'that is private', key: { ...exposed, kid: 'x' }, named: 'private half' },
    { name: 'that is private but for a part', key: { ...rsa, kid: 'x', qi: 'AAAA' }, named: 'private half' },
    { name: 'for wrapping keys', key: { ...rsa, kid: 'x', key_ops: ['wrapKey'] }, named: '`key_ops`' },
    { name: 'for another use', key: { ...rsa, kid: 'x', use: 'tls' }, named: '`tls`' },
    { name: 'that is a text', key: 'x', named: 'key 1: ' },
  ]
  for (const { name, key, named } of unusable) {
    it(`names a key ${name}, and uses the others`, () => {
      const keys = parse([key, p256])
      expect([...keys.keys.keys()]).to.deep.equal([p256.kid])
      expect(keyNotices(keys)).to.have.length(1)
      expect(keyNotices(keys)[0]).to.include(named)
    })

    it(`refuses a set of nothing but a key ${name}, and names it`, () => {
      const refused = parseProviderKeys(JSON.stringify({ keys: [key] }))
      expect(isInvalid(refused)).to.equal(true)
      expect(refused).to.have.property('reason').that.includes(named)
    })
  }

  for (const key of [
    { ...rsa, use: 'enc', alg: 'RSA-OAEP' },
    { ...p256, kid: undefined, use: 'x509-svid' },
  ]) {
    it(`says nothing of a key for ${key.use}, which every provider may have`, () => {
      expect(keyNotices(parse([key, ed25519]))).to.deep.equal([])
    })
  }

  it('takes one key of a set that repeats it', () => {
    const keys = parse([rsa, p256, rsa])
    expect([...keys.keys.keys()]).to.deep.equal([rsa.kid, p256.kid])
    expect(keyNotices(keys)).to.deep.equal([])
  })

  it('takes neither of two keys of one kid, nor one key for two algorithms', () => {
    for (const other of [
      { ...p256, kid: rsa.kid },
      { ...rsa, alg: 'PS256' },
    ]) {
      const keys = parse([rsa, ed25519, other])
      expect([...keys.keys.keys()]).to.deep.equal([ed25519.kid])
      expect(keyNotices(keys)).to.have.length(2)
    }
  })

  it('takes no key whose private half stands under its kid, legible or not', () => {
    const keys = parse([rsa, p256, { ...exposed, n: '!' }])
    expect([...keys.keys.keys()]).to.deep.equal([p256.kid])
    expect(keyNotices(keys)).to.have.length(2)
  })

  const broken = ['<html>', '{}', '{"keys":[]}', '{"keys":7}', `{"keys":[],"x":"${'x'.repeat(256 * 1024)}"}`]
  for (const text of [...broken, '{"keys":[],"keys":[]}']) {
    it(`refuses ${text.slice(0, 30)} whole`, () => expect(isInvalid(parseProviderKeys(text))).to.equal(true))
  }

  describe('when the set in force is to be replaced', () => {
    let inForce: ProviderKeys
    beforeEach(() => {
      inForce = parse([rsa, ed25519])
    })

    it('takes a usable set whole: what is no longer listed is believed no more', () => {
      expect([...parse([p256], inForce).keys.keys()]).to.deep.equal([p256.kid])
    })

    for (const keys of [[], [{ ...rsa, alg: 'RS384' }], ['x']]) {
      it(`refuses ${JSON.stringify(keys).slice(0, 30)}, so that nothing changes`, () => {
        expect(isInvalid(parseProviderKeys(JSON.stringify({ keys }), inForce))).to.equal(true)
      })
    }

    it('believes an exposed key no more, though no other is listed', () => {
      const keys = parse([exposed], inForce)
      expect([...keys.keys.keys()]).to.deep.equal([ed25519.kid])
      expect(keyNotices(keys)[0]).to.include('private half')
    })

    it('believes it no more under its new kid either', () => {
      expect([...parse([{ ...exposed, kid: 'new' }], inForce).keys.keys()]).to.deep.equal([ed25519.kid])
    })

    it('believes none when all are exposed, and refuses what changes nothing then', () => {
      const none = parse([exposed], parse([rsa]))
      expect(none.keys.size).to.equal(0)
      expect(isInvalid(parseProviderKeys(JSON.stringify({ keys: [exposed] }), none))).to.equal(true)
    })
  })

  const problems: readonly {
    readonly name: string
    readonly keys: readonly unknown[]
    readonly header: object | string
    readonly named: string | undefined
  }[] = [
    { name: 'a key of the set', keys: [rsa], header: {}, named: undefined },
    { name: 'a kid that nobody has', keys: [p256], header: { kid: 'gone' }, named: '`gone`' },
    {
      name: 'a kid of ill-formed text',
      keys: [p256],
      header: '{"alg":"RS256","kid":"a\\ud800"}',
      named: '`a\ufffd`',
    },
    {
      name: 'an algorithm that is not taken',
      keys: [{ ...rsa, alg: 'RS384' }, p256],
      header: { alg: 'RS384' },
      named: '`RS384` is not taken',
    },
    { name: 'a key for encryption', keys: [{ ...rsa, use: 'enc' }, p256], header: {}, named: '`enc`' },
    { name: 'another algorithm than the key’s', keys: [rsa], header: { alg: 'PS256' }, named: '`PS256`' },
    { name: 'an algorithm of any length', keys: [rsa], header: { alg: 'x'.repeat(5000) }, named: '…' },
    { name: 'no algorithm', keys: [rsa], header: { alg: 'none' }, named: '`none`' },
  ]
  for (const { name, keys, header, named } of problems) {
    it(`${named === undefined ? 'finds' : 'says what is wrong with'} ${name}`, () => {
      const full = typeof header === 'string' ? header : { alg: 'RS256', kid: rsa.kid, ...header }
      const jws = parseCompactJws(forge(full, {}, signer('hospital-idp')), {
        maxBytes: 16_000,
        typ: [],
        reading: 'provider',
      })
      if (jws.kind === 'jws-fault') throw new TypeError(jws.reason)
      const found = findSigningKey(jws, parse(keys))
      const problem = isInvalid(found) ? found.reason : undefined
      if (named === undefined) expect(problem).to.equal(undefined)
      else expect(problem).to.be.a('string').that.includes(named)
      expect(problem?.length ?? 0).to.be.below(400)
    })
  }
})

function parse(keys: readonly unknown[], inForce?: ProviderKeys): ProviderKeys {
  return good(parseProviderKeys(JSON.stringify({ keys }), inForce))
}
