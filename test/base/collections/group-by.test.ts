import { expect } from 'chai'
import { groupBy, groupByAll } from '../../../src/base/collections/group-by.ts'

describe('base/collections/group-by', () => {
  it('groups items by their key, in their order', () => {
    expect(groupBy(['a1', 'b1', 'a2'], ([letter]) => letter)).to.deep.equal(
      new Map([
        ['a', ['a1', 'a2']],
        ['b', ['b1']],
      ]),
    )
  })

  it('groups an item by each of its keys, once', () => {
    expect(groupByAll(['aab', 'b', ''], (text) => text)).to.deep.equal(
      new Map([
        ['a', ['aab']],
        ['b', ['aab', 'b']],
      ]),
    )
  })
})
