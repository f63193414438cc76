import { expect } from 'chai'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { parseScopes } from '../../../src/base/model/scope.ts'

describe('base/model/scope', () => {
  for (const [text, want] of [
    ['', []],
    ['insurance:read', ['insurance:read']],
    ['b a b', ['b', 'a']],
  ] as const) {
    it(`reads \`${text}\``, () => {
      expect(parseScopes(text)).to.deep.equal(want)
    })
  }

  for (const text of [' ', 'a  b', ' a', 'a ', 'a\tb', 'a"', 'a\\', 'é', 'a\nb']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(isInvalid(parseScopes(text))).to.equal(true)
    })
  }
})
