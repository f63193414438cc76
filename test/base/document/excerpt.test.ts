import { expect } from 'chai'
import { excerptAt } from '../../../src/base/document/excerpt.ts'

const long = `${'a'.repeat(200)}X${'b'.repeat(200)}`

const cases: readonly {
  readonly name: string
  readonly text: string
  readonly at: readonly [line: number, column: number, length?: number]
  readonly marked: string
}[] = [
  { name: 'a place in a line', text: 'one\ntwo three\n', at: [2, 5, 5], marked: 'three' },
  { name: 'one character without a length', text: 'abc', at: [1, 2], marked: 'b' },
  { name: 'a place after a tab', text: '\t\tabc', at: [1, 3, 3], marked: 'abc' },
  { name: 'a tab, made visible', text: '\tabc', at: [1, 1], marked: '→' },
  { name: 'a line that ends as on Windows', text: 'abc\r\n', at: [1, 1, 10], marked: 'abc' },
  { name: 'a place in a long line', text: long, at: [1, 201], marked: 'X' },
  {
    name: 'a place behind a password',
    text: 'url: https://me:secret@host/x',
    at: [1, 24, 4],
    marked: 'host',
  },
]

describe('base/document/excerpt', () => {
  for (const { name, text, at, marked } of cases) {
    it(`marks ${name}`, () => {
      const [shown = '', carets = ''] = excerptAt(text, ...at).split('\n')
      const from = carets.indexOf('^')
      expect(shown.slice(from, carets.length)).to.equal(marked)
      expect(shown.length).to.be.lessThan(120)
    })
  }

  it('shows no password of a URL', () => {
    expect(excerptAt('url: https://me:secret@host/x: y', 1, 1)).not.to.include('secret')
  })

  it('has room for a caret behind the end of a line, and for a line that is not there', () => {
    expect(excerptAt('abc', 1, 4)).to.equal('1 | abc\n  |    ^')
    expect(excerptAt('abc', 7, 1)).to.equal('7 | \n  | ^')
  })
})
