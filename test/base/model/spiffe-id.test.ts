import { expect } from 'chai'
import fc from 'fast-check'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { namespaceOf, parseSpiffeId, parseTrustDomain } from '../../../src/base/model/spiffe-id.ts'

const long = (bytes: number) => `spiffe://a/${'b'.repeat(bytes - 'spiffe://a/'.length)}`

describe('base/model/spiffe-id', () => {
  for (const uri of [
    'spiffe://hospital.example/ns/billing/sa/agent-d',
    'spiffe://a/b',
    'spiffe://a_b.c-d/E.f_g-h/...',
    long(2048),
  ]) {
    it(`takes ${uri.slice(0, 60)}`, () => expect(parseSpiffeId(uri)).to.include({ uri }))
  }

  const refused = [
    ['nothing', ''],
    ['a dash, as Envoy writes for no SAN', '-'],
    ['another scheme', 'https://a/b'],
    ['the scheme in upper case', 'SPIFFE://a/b'],
    ['an upper-case trust domain', 'spiffe://A/b'],
    ['no trust domain', 'spiffe:///b'],
    ['a trust domain alone', 'spiffe://a'],
    ['an empty path', 'spiffe://a/'],
    ['a trailing slash', 'spiffe://a/b/'],
    ['a double slash', 'spiffe://a/b//c'],
    ['a dot segment', 'spiffe://a/./b'],
    ['a parent segment', 'spiffe://a/b/../c'],
    ['an escape', 'spiffe://a/%62'],
    ['a port', 'spiffe://a:1/b'],
    ['user information', 'spiffe://u@a/b'],
    ['a query', 'spiffe://a/b?c'],
    ['a fragment', 'spiffe://a/b#c'],
    ['a backslash', 'spiffe://a\\b/c'],
    ['a Cyrillic letter', 'spiffe://a/\u0430'],
    ['a full-width letter', 'spiffe://a/\uff41'],
    ['a zero-width space', 'spiffe://a/b\u200b'],
    ['a right-to-left mark', 'spiffe://a/b\u200f'],
    ['a NUL', 'spiffe://a/b\0'],
    ['a tab', 'spiffe://a/b\t'],
    ['a newline', 'spiffe://a/b\n'],
    ['a leading space', ' spiffe://a/b'],
    ['two IDs', 'spiffe://a/b,spiffe://a/c'],
    ['2,049 bytes', long(2049)],
    ['a trust domain of 256 bytes', `spiffe://${'a'.repeat(256)}/b`],
  ]
  for (const [name, uri] of refused) {
    it(`refuses ${name}`, () => expect(isInvalid(parseSpiffeId(uri ?? ''))).to.equal(true))
  }

  it('never throws, and never changes what it takes', () => {
    let taken = 0
    const nearly = fc.array(
      fc.constantFrom('spiffe://', 'a', '/', '.', '..', '%', 'A', ':', '@', '\u0430', ','),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          nearly.map((parts) => parts.join('')),
          nearly.map((parts) => `spiffe://a/${parts.join('')}`),
        ),
        (text) => {
          const id = parseSpiffeId(text)
          if (isInvalid(id)) return
          taken++
          expect(`spiffe://${id.trustDomain}${id.path}`).to.equal(text)
        },
      ),
      { numRuns: 2000 },
    )
    expect(taken).to.be.above(0)
  })

  it('finds the namespace of an ID in the form of Istio, and of no other', () => {
    const namespace = (uri: string) => {
      const id = parseSpiffeId(uri)
      return isInvalid(id) ? 'invalid' : namespaceOf(id)
    }
    expect(namespace('spiffe://a/ns/billing/sa/agent')).to.equal('billing')
    expect(namespace('spiffe://a/ns/billing/sa/agent/more')).to.equal(undefined)
    expect(namespace('spiffe://a/x/ns/billing/sa/agent')).to.equal(undefined)
  })

  it('parses a trust domain alone', () => {
    expect(parseTrustDomain('hospital.example')).to.equal('hospital.example')
    expect(parseTrustDomain('spiffe://hospital.example')).to.have.property('kind', 'invalid')
  })
})
