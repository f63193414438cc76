import type { EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { expect } from 'chai'
import { entityKey } from '../../../src/base/model/entity-uid.ts'
import { reachableFrom } from '../../../src/policy/cedar/reachable.ts'

const uid = (id: string) => ({ type: 'A', id })
const entity = (id: string, rest: Partial<EntityJson> = {}): EntityJson => ({
  uid: uid(id),
  attrs: {},
  parents: [],
  ...rest,
})
const all = [
  entity('child', { parents: [uid('parent')] }),
  entity('parent', { parents: [uid('grandparent')] }),
  entity('grandparent'),
  entity('friend', {
    attrs: { of: { __entity: uid('child') }, list: [{ deep: { __entity: uid('listed') } }] },
  }),
  entity('listed', { tags: { t: { __entity: uid('tagged') } } }),
  entity('tagged'),
  entity('one', { parents: [uid('other')] }),
  entity('other', { attrs: { back: { __entity: uid('one') } } }),
  entity('stranger'),
]
const entities = new Map(all.map((item) => [entityKey(item.uid as { type: string; id: string }), item]))

describe('policy/cedar/reachable', () => {
  const rows = [
    { from: ['child'], want: ['child', 'parent', 'grandparent'] },
    { from: ['friend'], want: ['friend', 'child', 'parent', 'grandparent', 'listed', 'tagged'] },
    { from: ['one'], want: ['one', 'other'] },
    { from: ['nobody', 'stranger'], want: ['nobody', 'stranger'] },
  ]
  for (const { from, want } of rows) {
    it(`from ${from.join(', ')} come ${want.join(', ')}`, () => {
      const reached = reachableFrom(from.map(uid), entities)
      expect([...reached.values()].map(({ id }) => id)).to.have.members(want)
    })
  }
})
