import { constants, createPrivateKey, sign } from 'node:crypto'
import { expect } from 'chai'
import { compactVerify } from 'jose'
import { type ParsedJws, parseCompactJws } from '../../../src/decision/jws/compact.ts'
import { parseProviderKeys } from '../../../src/decision/jws/provider-keys.ts'
import { signCompactJws, verifySignature } from '../../../src/decision/jws/signature.ts'
import { parseSigningKey } from '../../../src/decision/jws/signing-key.ts'
import { forge, good, hmacSigner, readJwks, readKey, signer } from '../../support/forge.ts'

const pssKey = { ...JSON.parse(readJwks('hospital-idp')).keys[0], alg: 'PS256', kid: 'pss' }
const others = JSON.parse(readJwks('chain', 'chain-es256', 'hospital-idp')).keys
const keySet = good(parseProviderKeys(JSON.stringify({ keys: [...others, pssKey] })))
const es256 = { alg: 'ES256', kid: JSON.parse(readKey('chain-es256')).kid, typ: 'a+jwt' }

describe('decision/jws/signature', () => {
  for (const name of ['chain', 'chain-es256']) {
    it(`verifies what the key ${name} signs`, () => {
      const key = good(parseSigningKey(readKey(name)))
      const jws = parse(signCompactJws('a+jwt', { sub: 'clerk' }, key))
      expect(jws.protectedHeader).to.deep.equal({ alg: key.public.alg, kid: key.public.kid, typ: 'a+jwt' })
      expect(verifySignature(jws, keySet)).to.equal(true)
    })

    it(`signs with the key ${name} what another implementation verifies`, async () => {
      const key = good(parseSigningKey(readKey(name)))
      const text = signCompactJws('a+jwt', { sub: 'clerk' }, key)
      const { payload } = await compactVerify(text, key.public.key, { algorithms: [key.public.alg] })
      expect(Buffer.from(payload).toString()).to.equal('{"sub":"clerk"}')
    })
  }

  const table: readonly { readonly name: string; readonly text: string; readonly want: true | string }[] = [
    { name: 'verifies RS256', text: token('RS256', 'hospital-1', 'hospital-idp'), want: true },
    { name: 'verifies EdDSA that somebody else made', text: token('EdDSA', 'chain-1', 'chain'), want: true },
    { name: 'refuses an unknown key', text: token('EdDSA', 'chain-2', 'chain'), want: 'key_unknown' },
    {
      name: 'refuses the signature of another key',
      text: token('EdDSA', 'chain-1', 'stranger'),
      want: 'signature',
    },
    {
      name: 'refuses an algorithm that is not the key’s',
      text: token('ES256', 'chain-1', 'chain-es256'),
      want: 'signature',
    },
    {
      name: 'refuses PS256 under a key for RS256',
      text: token('PS256', 'hospital-1', 'hospital-idp'),
      want: 'signature',
    },
    {
      name: 'refuses the public key as a shared secret',
      text: forge({ alg: 'HS256', kid: 'chain-1', typ: 'a+jwt' }, {}, hmacSigner(readJwks('chain'))),
      want: 'signature',
    },
    {
      name: 'refuses a signature of another length',
      text: forge({ alg: 'EdDSA', kid: 'chain-1', typ: 'a+jwt' }, {}, () => Buffer.alloc(7, 1)),
      want: 'signature',
    },
    { name: 'verifies ES256', text: token('ES256', 'chain-es256', 'chain-es256'), want: true },
    {
      name: 'refuses ES256 in DER, which is another spelling of the same signature',
      text: forge(es256, {}, (input) => sign('sha256', Buffer.from(input), privateKey('chain-es256'))),
      want: 'signature',
    },
    {
      name: 'refuses ES256 that is all zeros',
      text: forge(es256, {}, () => Buffer.alloc(64)),
      want: 'signature',
    },
    {
      name: 'refuses ES256 with a byte more',
      text: forge(es256, {}, (input) => Buffer.concat([signer('chain-es256')(input), Buffer.alloc(1)])),
      want: 'signature',
    },
    { name: 'verifies PS256 with a salt as long as the hash', text: pss(32), want: true },
    { name: 'refuses PS256 with another salt', text: pss(20), want: 'signature' },
  ]
  for (const { name, text, want } of table) {
    it(name, () => {
      expect(verifySignature(parse(text), keySet)).to.equal(want)
    })
  }
})

function token(alg: string, kid: string, key: string): string {
  return forge({ alg, kid, typ: 'a+jwt' }, { sub: 'clerk' }, signer(key))
}

function pss(saltLength: number): string {
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
  const header = { alg: 'PS256', kid: 'pss', typ: 'a+jwt' }
  return forge(header, {}, (input) =>
    sign('sha256', Buffer.from(input), { key: privateKey('hospital-idp'), ...options }),
  )
}

function privateKey(name: string) {
  return createPrivateKey({ key: JSON.parse(readKey(name)), format: 'jwk' })
}

function parse(text: string): ParsedJws {
  const jws = parseCompactJws(text, { maxBytes: 4096, typ: ['a+jwt'], reading: 'ours' })
  if (jws.kind === 'jws-fault') throw new TypeError(jws.reason)
  return jws
}
