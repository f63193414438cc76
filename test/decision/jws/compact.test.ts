import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { parseCompactJws } from '../../../src/decision/jws/compact.ts'
import { encodePart, forge, signer } from '../../support/forge.ts'

const options = { maxBytes: 1000, typ: ['a+jwt', 'b+jwt'], reading: 'ours' } as const
const ofProvider = { ...options, reading: 'provider' } as const
const header = { alg: 'EdDSA', kid: 'k', typ: 'a+jwt' }
const sign = signer('chain')
const genuine = forge(header, { sub: 'clerk' }, sign)

describe('decision/jws/compact', () => {
  it('reads header and claims, and names the token by its signing input', () => {
    const jws = parseCompactJws(genuine, options)
    const signingInput = `${encodePart(header)}.${encodePart({ sub: 'clerk' })}`
    expect(jws).to.deep.include({ kind: 'jws', protectedHeader: header, signingInput })
    expect(jws)
      .to.have.property('claims')
      .that.deep.equals(new Map([['sub', 'clerk']]))
    expect(jws).to.have.property('digest', createHash('sha256').update(signingInput).digest('base64url'))
  })

  it('accepts any of the types that it is given', () => {
    expect(parseCompactJws(forge({ ...header, typ: 'b+jwt' }, {}, sign), options).kind).to.equal('jws')
  })

  it('refuses by size before it decodes anything', () => {
    const fault = parseCompactJws('!'.repeat(1001), options)
    expect(fault).to.include({ kind: 'jws-fault', fault: 'too_large' })
  })

  it('reads the next token as if there had been no bytes before it that are no UTF-8', () => {
    for (const bytes of [[0x7b, 0xc3], [0xe2, 0x82], [0xff]]) {
      const fault = parseCompactJws(forge(header, Buffer.from(bytes), sign), options)
      expect(fault).to.include({ kind: 'jws-fault', fault: 'malformed' })
      expect(parseCompactJws(genuine, options).kind).to.equal('jws')
    }
  })

  for (const name of ['x5t', 'jku', 'x5u', 'x5c', 'kty']) {
    it(`ignores the header member ${name} of a provider, and refuses it in a token of ours`, () => {
      const text = forge({ ...header, [name]: 'https://elsewhere.example' }, {}, sign)
      expect(parseCompactJws(text, ofProvider)).to.deep.include({ kind: 'jws', protectedHeader: header })
      expect(parseCompactJws(text, options).kind).to.equal('jws-fault')
    })
  }

  for (const name of ['crit', 'jwk', 'zip', 'b64']) {
    it(`refuses the header member ${name} of a provider, too, and names it`, () => {
      const fault = parseCompactJws(forge({ ...header, [name]: 'x' }, {}, sign), ofProvider)
      expect(fault).to.include({ fault: 'malformed' })
      expect(fault).to.have.property('reason').that.includes(`\`${name}\``)
    })
  }

  for (const typ of ['A+JWT', 'application/a+jwt', 'APPLICATION/B+jwt', undefined]) {
    it(`takes the type ${typ} of a provider, and not in a token of ours`, () => {
      const text = forge({ ...header, typ }, {}, sign)
      expect(parseCompactJws(text, ofProvider).kind).to.equal('jws')
      expect(parseCompactJws(text, options).kind).to.equal('jws-fault')
    })
  }

  for (const typ of ['c+jwt', 'xapplication/a+jwt', 'application/application/a+jwt', 'a+jwt ', '', 7, null]) {
    it(`refuses the type ${typ} of a provider`, () => {
      expect(parseCompactJws(forge({ ...header, typ }, {}, sign), ofProvider).kind).to.equal('jws-fault')
    })
  }

  const malformed: readonly { readonly name: string; readonly text: string }[] = [
    { name: 'no text', text: '' },
    { name: 'two parts', text: genuine.slice(0, genuine.lastIndexOf('.')) },
    { name: 'four parts', text: `${genuine}.x` },
    { name: 'an empty signature', text: genuine.slice(0, genuine.lastIndexOf('.') + 1) },
    { name: 'padding', text: `${genuine}==` },
    { name: 'a signature of one character', text: forge(header, {}, () => Buffer.alloc(0)).concat('A') },
    { name: 'claims that are no JSON', text: forge(header, 'clerk', sign) },
    { name: 'claims that are no object', text: forge(header, '[]', sign) },
    { name: 'another type', text: forge({ ...header, typ: 'JWT' }, {}, sign) },
    { name: 'another case of the type', text: forge({ ...header, typ: 'A+JWT' }, {}, sign) },
    { name: 'no kid', text: forge({ ...header, kid: undefined }, {}, sign) },
    { name: 'an empty kid', text: forge({ ...header, kid: '' }, {}, sign) },
  ]
  for (const { name, text } of malformed) {
    it(`refuses ${name}`, () => {
      expect(parseCompactJws(text, options)).to.include({ kind: 'jws-fault', fault: 'malformed' })
    })
  }
})
