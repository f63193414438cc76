import { expect } from 'chai'
import fc from 'fast-check'
import { toSafeJson } from '../../../src/base/text/json-line.ts'

describe('base/text/json-line', () => {
  it('leaves the value as it is and no character that breaks a line or moves a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = toSafeJson(JSON.stringify({ text }))
        expect(JSON.parse(json)).to.deep.equal({ text })
        expect(json).not.to.match(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })
})
