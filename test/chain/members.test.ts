import { expect } from 'chai'
import fc from 'fast-check'
import { createMembers } from '../../src/chain/members.ts'

describe('chain/members', () => {
  it('is a map, whatever is set in it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.nat())), (entries) => {
        const members = createMembers()
        for (const [id, notBefore] of entries) members.set(id, notBefore)
        const map = new Map(entries)
        expect(new Map(members)).to.deep.equal(map)
        expect(members.size).to.equal(map.size)
        expect(entries.map(([id]) => members.get(id))).to.deep.equal(entries.map(([id]) => map.get(id)))
      }),
    )
  })

  it('knows nothing of an id that was never set', () => {
    const members = createMembers()
    members.set('a', 1)
    expect(members.get('b')).to.equal(undefined)
  })
})
