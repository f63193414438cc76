import { expect } from 'chai'
import { createTally, sighted, together } from '../../src/authoring/tally.ts'

describe('authoring/tally', () => {
  it('keeps as many keys as it may, and counts what came under others', () => {
    const tally = createTally<number>(2)
    for (const key of ['a', 'b', 'c', 'a', 'c']) tally.update([key], (before = 0) => before + 1)
    expect([tally.values(), tally.cut()]).to.deep.equal([[2, 1], 2])
  })

  it('keeps keys apart whose parts join to the same text', () => {
    const tally = createTally<number>(9)
    tally.update(['a', 'b'], () => 1)
    tally.update(['a","b'], () => 2)
    expect([tally.find(['a', 'b']), tally.find(['a","b'])]).to.deep.equal([1, 2])
  })

  it('finds the first and last time, whatever the order and the zone', () => {
    const times = ['2027-01-02T00:00:00.000Z', '2027-01-01T00:30:00+01:00', '2027-01-01T12:00:00.000Z']
    const one = times.map((time, index) => sighted(undefined, { time, decisionId: `d${index}` }))
    const want = {
      count: 3,
      first: '2026-12-31T23:30:00.000Z',
      last: '2027-01-02T00:00:00.000Z',
      example: 'd0',
    }
    expect(together(one)).to.deep.equal(want)
  })

  it('survives a time that is none', () => {
    const time = '2027-13-77T99:99:99.000Z'
    expect(sighted(undefined, { time, decisionId: 'd' })).to.include({ count: 1, first: time })
    expect(sighted(undefined, { time: '2027-13-77T99:99Z', decisionId: 'd' })).to.include({ count: 1 })
  })
})
