import { expect } from 'chai'
import { createBoundedMap } from '../../../src/base/cache/bounded-map.ts'

describe('base/cache/bounded-map', () => {
  it('forgets what was used least', () => {
    const map = createBoundedMap<{ readonly value: number }>(2)
    map.set('a', { value: 1 })
    map.set('b', { value: 2 })
    map.get('a')
    map.set('c', { value: 3 })
    expect(['a', 'b', 'c'].map((key) => map.get(key)?.value)).to.deep.equal([1, undefined, 3])
  })
})
