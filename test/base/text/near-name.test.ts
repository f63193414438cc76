import { expect } from 'chai'
import fc from 'fast-check'
import { editDistance, nearestName } from '../../../src/base/text/near-name.ts'

describe('base/text/near-name', () => {
  const distances: readonly (readonly [from: string, to: string, distance: number])[] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'abd', 1],
    ['abc', 'ab', 1],
    ['abc', 'abcd', 1],
    ['exmaple', 'example', 1],
    ['ab', 'ba', 1],
    ['abc', 'cba', 2],
    ['kitten', 'sitting', 3],
  ]
  for (const [from, to, distance] of distances) {
    it(`\`${from}\` is ${distance} from \`${to}\`, and as far the other way`, () => {
      expect([editDistance(from, to), editDistance(to, from)]).to.deep.equal([distance, distance])
    })
  }

  it('counts as far as it is asked to, and exactly', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })
    fc.assert(
      fc.property(letters, letters, fc.nat(8), (one, other, most) => {
        const distance = editDistance(one, other)
        expect(editDistance(one, other, most)).to.equal(
          distance <= most ? distance : Number.POSITIVE_INFINITY,
        )
      }),
    )
  })

  it('gives up beyond what is asked for', () => {
    expect(editDistance('kitten', 'sitting', 2)).to.equal(Number.POSITIVE_INFINITY)
    expect(editDistance('a', 'a'.repeat(9), 2)).to.equal(Number.POSITIVE_INFINITY)
  })

  const known = [
    'issuer',
    'keys',
    'spiffe://bank.example/ns/bank/sa/advisor',
    'spiffe://bank.example/ns/bank/sa/adviser',
  ]
  const nearest: readonly (readonly [mistyped: string, want: string | undefined])[] = [
    ['isuer', 'issuer'],
    ['keyz', 'keys'],
    ['kyes', 'keys'],
    ['enforce', undefined],
    ['k', undefined],
    ['spiffe://bank.exmaple/ns/bank/sa/advisor', known[2]],
    ['spiffe://bank.example/ns/bank/sa/advisers', known[3]],
    ['x'.repeat(100_000), undefined],
  ]
  for (const [mistyped, want] of nearest) {
    it(`\`${mistyped.slice(0, 50)}\` means ${want ?? 'nothing that is known'}`, () => {
      expect(nearestName(mistyped, known)).to.equal(want)
    })
  }
})
