import { expect } from 'chai'
import fc from 'fast-check'
import { LargeMap } from '../../../src/base/collections/large-map.ts'

describe('base/collections/large-map', () => {
  it('is a map, whatever is set in it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.nat())), (entries) => {
        const large = new LargeMap<number>()
        for (const [key, value] of entries) large.set(key, value)
        const map = new Map(entries)
        const visited = new Map<string, number>()
        large.forEach((value, key) => void visited.set(key, value))
        const keys = [...map.keys(), 'never set']
        expect([new Map(large), visited]).to.deep.equal([map, map])
        expect([...large.keys()].sort()).to.deep.equal([...map.keys()].sort())
        expect([...large.values()]).to.have.members([...map.values()])
        expect(large.size).to.equal(map.size)
        expect(keys.map((key) => [large.get(key), large.has(key)])).to.deep.equal(
          keys.map((key) => [map.get(key), map.has(key)]),
        )
      }),
    )
  })
})
