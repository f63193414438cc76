import { expect } from 'chai'
import { closestTo, hintFor } from '../../../src/base/text/did-you-mean.ts'

describe('base/text/did-you-mean', () => {
  it('hints at the closest name, or at all of them', () => {
    expect(hintFor('isuer', ['issuer', 'keys'])).to.include('`issuer`')
    expect(hintFor('enforce', ['issuer', 'keys'])).to.include('issuer, keys')
    expect(hintFor('enforce', [])).to.match(/none/)
  })

  const pairs: readonly (readonly [
    unknown: string,
    known: readonly string[],
    closest: string | undefined,
  ])[] = [
    ['spiffeID', ['spiffeId', 'shared'], 'spiffeId'],
    ['SERVICES', ['services'], 'services'],
    ['a', ['b'], 'b'],
    ['ab', ['yz'], undefined],
    ['x'.repeat(100_000), ['issuer'], undefined],
    ['x'.repeat(100_000), ['x'.repeat(100_001)], undefined],
    ['', ['issuer'], undefined],
  ]
  for (const [unknown, known, closest] of pairs) {
    it(`finds ${closest ?? 'nothing'} like ${unknown.slice(0, 10)} among ${known.join(', ').slice(0, 20)}`, () => {
      expect(closestTo(unknown, known)).to.equal(closest)
    })
  }
})
