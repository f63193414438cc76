import { expect } from 'chai'
import { quote } from '../../../src/base/text/quote.ts'

describe('base/text/quote', () => {
  const table: readonly { readonly value: unknown; readonly want: string }[] = [
    { value: 'clerk', want: '`clerk`' },
    { value: '', want: '``' },
    { value: undefined, want: 'nothing' },
    { value: null, want: '`null`' },
    { value: false, want: '`false`' },
    { value: 1.5, want: '`1.5`' },
    { value: ['a'], want: '`a list`' },
    { value: new Map(), want: '`an object`' },
    { value: 'x'.repeat(1000), want: `\`${'x'.repeat(80)}…\`` },
    { value: 'a\ud800', want: '`a\ufffd`' },
    { value: `${'x'.repeat(79)}\u{1f600}`, want: `\`${'x'.repeat(79)}\ufffd…\`` },
  ]
  for (const { value, want } of table) {
    it(`shows ${JSON.stringify(value)?.slice(0, 20)} as ${want.slice(0, 20)}`, () => {
      expect(quote(value)).to.equal(want)
    })
  }
})
