import { expect } from 'chai'
import { toHeaderField } from '../../../../src/envoy/http2/hpack/header-field.ts'
import { addField, createHpackTable, fieldAt, resizeTable } from '../../../../src/envoy/http2/hpack/table.ts'

const limitBytes = 200
/** A field of 40 bytes: RFC 7541 §4.1 adds 32. */
const field = (name: string) => toHeaderField(`x-${name}`, 'four1')

function build(...names: readonly string[]) {
  const table = createHpackTable(limitBytes)
  for (const name of names) addField(table, field(name))
  /** The names in the table, the newest first. */
  const listed = () =>
    Array.from({ length: table.count + 1 }, (_, age) => fieldAt(table, 62 + age)?.name.slice(2))
  return { table, names: listed }
}

describe('envoy/http2/hpack/table', () => {
  it('keeps the newest fields that it has room for', () => {
    const { table, names } = build('a', 'b', 'c', 'd', 'e', 'f')
    expect(names()).to.deep.equal(['f', 'e', 'd', 'c', 'b', undefined])
    expect(table.bytes).to.equal(200)
  })

  for (const { bytes, kept } of [
    { bytes: 200, kept: ['e', 'd', 'c', 'b', 'a'] },
    { bytes: 199, kept: ['e', 'd', 'c', 'b'] },
    { bytes: 160, kept: ['e', 'd', 'c', 'b'] },
    { bytes: 40, kept: ['e'] },
    { bytes: 39, kept: [] },
    { bytes: 0, kept: [] },
  ]) {
    it(`drops the oldest fields at once when it shrinks to ${bytes} bytes`, () => {
      const { table, names } = build('a', 'b', 'c', 'd', 'e')
      expect(resizeTable(table, bytes)).to.equal(true)
      expect(names()).to.deep.equal([...kept, undefined])
      expect(table.bytes).to.equal(kept.length * 40)
    })
  }

  it('holds what comes later to its new size', () => {
    const { table, names } = build()
    resizeTable(table, 80)
    for (const name of ['a', 'b', 'c']) addField(table, field(name))
    expect(names()).to.deep.equal(['c', 'b', undefined])
  })

  it('grows again up to what was announced, empty where it has been', () => {
    const { table, names } = build('a', 'b', 'c')
    resizeTable(table, 0)
    expect(resizeTable(table, limitBytes)).to.equal(true)
    expect(names()).to.deep.equal([undefined])
    for (const name of ['d', 'e', 'f', 'g', 'h']) addField(table, field(name))
    expect(names()).to.deep.equal(['h', 'g', 'f', 'e', 'd', undefined])
  })

  it('grows no further, and changes nothing when asked to', () => {
    const { table, names } = build('a', 'b')
    expect(resizeTable(table, limitBytes + 1)).to.equal(false)
    expect(table.maxBytes).to.equal(limitBytes)
    expect(names()).to.deep.equal(['b', 'a', undefined])
  })
})
