import { expect } from 'chai'
import { toFlatString } from '../../../src/base/cache/flat-string.ts'
import { measureHeap } from '../../support/memory.ts'

describe('base/cache/flat-string', () => {
  for (const text of [
    '',
    'plain',
    'a "quoted" \\ text\n',
    '\0',
    'é',
    '😀',
    '\ud800',
    '\udc00\ud800',
    '__proto__',
  ]) {
    it(`changes nothing in ${JSON.stringify(text)}`, () => {
      expect(toFlatString(text)).to.equal(text)
    })
  }

  const count = 1000

  it('lets go of a long text of which a part is kept', async () => {
    const { bytes } = await measureHeap(() =>
      Array.from({ length: count }, (_, index) => toFlatString(`${index} `.repeat(1000).slice(0, 20))),
    )
    expect(bytes / count).to.be.lessThan(1000)
  })

  it('lets go of the parts of which a text was made', async () => {
    const { bytes } = await measureHeap(() =>
      Array.from({ length: count }, (_, index) => {
        let text = ''
        for (let part = 0; part < 100; part++) text += `${index} `
        return toFlatString(text)
      }),
    )
    expect(bytes / count).to.be.lessThan(1000)
  })
})
