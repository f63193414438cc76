import { expect } from 'chai'
import * as v from 'valibot'
import { duration, parseSizeBytes, size } from '../../../src/base/document/values.ts'

describe('base/document/values', () => {
  const sizes: readonly (readonly [text: string, want: number | undefined])[] = [
    ['512B', 512],
    ['4KiB', 4096],
    ['64MiB', 67_108_864],
    ['1GiB', 1_073_741_824],
    ['4KB', undefined],
    ['4096', undefined],
    ['-4KiB', undefined],
  ]
  for (const [text, want] of sizes) {
    it(`${want === undefined ? 'refuses' : 'reads'} the size ${text}`, () => {
      const bytes = parseSizeBytes(text)
      expect(typeof bytes === 'number' ? bytes : undefined).to.equal(want)
    })
  }

  const bounded: readonly (readonly [text: unknown, isDuration: boolean])[] = [
    ['1s', true],
    ['90s', true],
    ['1h', true],
    ['999ms', false],
    ['61m', false],
    ['60', false],
    [60, false],
    ['1 h', false],
  ]
  for (const [text, isDuration] of bounded) {
    it(`${isDuration ? 'takes' : 'refuses'} ${JSON.stringify(text)} for a duration from 1s to 1h`, () => {
      expect(v.safeParse(duration('1s', '1h'), text).success).to.equal(isDuration)
    })
  }

  it('holds a size to its bounds', () => {
    expect(
      ['1KiB', '2KiB', '3KiB'].map((text) => v.safeParse(size('2KiB', '2KiB'), text).success),
    ).to.deep.equal([false, true, false])
  })
})
