import { expect } from 'chai'
import { createPace } from '../../../src/server/provider-keys/pace.ts'

describe('server/provider-keys/pace', () => {
  it('gives three turns at once, and one more each interval', () => {
    let nowMs = 500
    const pace = createPace(3, 1000, () => nowMs)
    const takeAt = (atMs: number) => {
      nowMs = atMs
      return pace.take()
    }
    expect([500, 600, 700, 800, 1500, 1501, 2499, 2500, 2600].map(takeAt)).to.deep.equal([
      'taken',
      'taken',
      'taken',
      { waitMs: 700 },
      'taken',
      { waitMs: 999 },
      { waitMs: 1 },
      'taken',
      { waitMs: 900 },
    ])
  })

  it('never has more turns than at first, however long nobody took one', () => {
    let nowMs = 0
    const pace = createPace(3, 1000, () => nowMs)
    nowMs = 3_600_000
    expect(Array.from({ length: 4 }, () => pace.take())).to.deep.equal([
      'taken',
      'taken',
      'taken',
      { waitMs: 1000 },
    ])
  })
})
