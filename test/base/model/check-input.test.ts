import { expect } from 'chai'
import { singleHeader } from '../../../src/base/model/check-input.ts'

describe('base/model/check-input', () => {
  const headers = new Map([
    ['once', ['a']],
    ['twice', ['a', 'a']],
    ['never', []],
    ['empty', ['']],
  ])
  const rows = [
    ['once', { value: 'a' }],
    ['twice', 'repeated'],
    ['never', undefined],
    ['absent', undefined],
    ['empty', { value: '' }],
  ] as const
  for (const [name, want] of rows) {
    it(`a header that came ${name}`, () => expect(singleHeader(headers, name)).to.deep.equal(want))
  }
})
