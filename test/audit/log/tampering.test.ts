import { expect } from 'chai'
import { type Hash, leafHash } from '../../../src/audit/format/merkle.ts'
import { findDifference } from '../../../src/audit/log/tampering.ts'

const cases = [
  { name: 'nothing', signed: 'abc', found: 'abc', want: undefined },
  { name: 'a change', signed: 'abc', found: 'axc', want: 1 },
  { name: 'a removal', signed: 'abc', found: 'ac', want: 1 },
  { name: 'a removal at the end', signed: 'abc', found: 'ab', want: 2 },
  { name: 'an insertion', signed: 'abc', found: 'axbc', want: 1 },
  { name: 'an insertion at the end', signed: 'abc', found: 'abcx', want: 3 },
  { name: 'an exchange', signed: 'abc', found: 'bac', want: 0 },
]

describe('audit/log/tampering', () => {
  for (const { name, signed, found, want } of cases) {
    it(`finds where ${name} begins`, () => {
      expect(findDifference(leavesOf(signed), leavesOf(found))?.position).to.equal(want)
    })
  }

  it('tells a change, a removal, an insertion and a reordering apart', () => {
    const changed = ['axc', 'ac', 'axbc', 'bac'].map(
      (found) => findDifference(leavesOf('abc'), leavesOf(found))?.message,
    )
    expect(new Set(changed).size).to.equal(4)
  })
})

function leavesOf(text: string): readonly Hash[] {
  return [...text].map((letter) => leafHash(Buffer.from(letter)))
}
