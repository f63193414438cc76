import { expect } from 'chai'
import { parseDurationMs } from '../../../src/base/model/duration.ts'

describe('base/model/duration', () => {
  for (const [text, want] of [
    ['150ms', 150],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ] as const) {
    it(`reads ${text}`, () => expect(parseDurationMs(text)).to.equal(want))
  }
  for (const text of ['', '5', '5 m', '-1s', '1.5h', '5M', '1h30m', '9999999999s']) {
    it(`refuses \`${text}\``, () => expect(parseDurationMs(text)).to.have.property('kind', 'invalid'))
  }
})
