import { expect } from 'chai'
import { type ParsedJws, parseCompactJws } from '../../src/jws/compact.ts'
import { parseJwks } from '../../src/jws/key-set.ts'
import { signCompactJws, verifySignature } from '../../src/jws/signature.ts'
import { parseSigningKey } from '../../src/jws/signing-key.ts'
import { forge, good, hmacSigner, readJwks, readKey, signer } from '../support/forge.ts'

const keySet = good(parseJwks(readJwks('chain', 'chain-es256', 'hospital-idp')))

describe('jws/signature', () => {
  for (const name of ['chain', 'chain-es256']) {
    it(`verifies what the key ${name} signs`, async () => {
      const key = good(parseSigningKey(readKey(name)))
      const jws = parse(await signCompactJws('a+jwt', { sub: 'clerk' }, key))
      expect(jws.protectedHeader).to.deep.equal({ alg: key.public.alg, kid: key.public.kid, typ: 'a+jwt' })
      expect(await verifySignature(jws, keySet)).to.equal(true)
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
  ]
  for (const { name, text, want } of table) {
    it(name, async () => {
      expect(await verifySignature(parse(text), keySet)).to.equal(want)
    })
  }
})

function token(alg: string, kid: string, key: string): string {
  return forge({ alg, kid, typ: 'a+jwt' }, { sub: 'clerk' }, signer(key))
}

function parse(text: string): ParsedJws {
  const jws = parseCompactJws(text, { maxBytes: 4096, typ: ['a+jwt'], strictHeader: true })
  if (jws.kind === 'jws-fault') throw new TypeError(jws.reason)
  return jws
}
