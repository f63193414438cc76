import { expect } from 'chai'
import { listFew } from '../../../src/base/text/few.ts'

describe('base/text/few', () => {
  it('lists ten names, and counts the others', () => {
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`)
    expect(listFew(names)).to.equal('n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 2 more')
    expect(listFew(names.slice(0, 10))).to.match(/, n9$/)
  })

  it('lists none of none', () => expect(listFew([])).to.equal(''))
})
