import { expect } from 'chai'
import * as v from 'valibot'
import type { SchemaNode } from '../../../src/base/document/schema.ts'
import { takeUnknownKeys } from '../../../src/base/document/unknown-keys.ts'
import { list, recordOf, text } from '../../../src/base/document/values.ts'

const pet = v.strictObject({ name: text, nick: v.optional(text) })
const schema: SchemaNode = v.strictObject({
  pet: v.optional(pet),
  pets: v.optional(list(pet)),
  byName: v.optional(recordOf(pet)),
  either: v.optional(v.union([v.literal('none'), pet])),
})

const cases: readonly {
  readonly name: string
  readonly value: unknown
  readonly unknown: readonly string[]
  readonly left: unknown
}[] = [
  {
    name: 'in an object',
    value: { pet: { name: 'a', nam: 'b' } },
    unknown: ['pet.nam'],
    left: { pet: { name: 'a' } },
  },
  {
    name: 'in a list',
    value: { pets: [{ name: 'a' }, { x: 1 }] },
    unknown: ['pets.1.x'],
    left: { pets: [{ name: 'a' }, {}] },
  },
  {
    name: 'in a record',
    value: { byName: { x: { y: 1 } } },
    unknown: ['byName.x.y'],
    left: { byName: { x: {} } },
  },
  { name: 'in a union', value: { either: { nme: 'a' } }, unknown: ['either.nme'], left: { either: {} } },
  { name: 'at the root', value: { cats: {} }, unknown: ['cats'], left: {} },
  { name: 'a list where keys must stand', value: { pet: ['a'] }, unknown: ['pet'], left: { pet: [] } },
  { name: 'nothing where a text stands for keys', value: { pet: 'a' }, unknown: [], left: { pet: 'a' } },
  {
    name: 'a name of every object',
    value: { pet: JSON.parse('{"constructor": 1, "__proto__": 2}') },
    unknown: ['pet.constructor', 'pet.__proto__'],
    left: { pet: {} },
  },
]

describe('base/document/unknown-keys', () => {
  for (const { name, value, unknown, left } of cases) {
    it(`takes out ${name}`, () => {
      const found = takeUnknownKeys(schema, value)
      expect(found.map(({ path }) => path.join('.'))).to.have.members(unknown)
      expect(value).to.deep.equal(left)
    })
  }

  it('says which known key was meant', () => {
    const [found] = takeUnknownKeys(schema, { pet: { nam: 'a' } })
    expect(found?.meant).to.deep.equal(['pet', 'name'])
  })
})
