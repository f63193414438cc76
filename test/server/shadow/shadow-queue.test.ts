import { expect } from 'chai'
import { createShadowQueue, type ShadowQueueOptions } from '../../../src/server/shadow/shadow-queue.ts'

/** A queue of numbers whose turns and clock the test moves. */
function build(overlay: Partial<ShadowQueueOptions<number>> = {}) {
  const turns: (() => void)[] = []
  const state = { done: [] as number[], dropped: 0, nowMs: 0 }
  const queue = createShadowQueue<number>({
    work: (item) => state.done.push(item),
    onDropped: (count) => {
      state.dropped += count
    },
    sample: 1,
    perSecond: 10_000,
    random: () => 0.5,
    elapsedMs: () => state.nowMs,
    later: (run) => turns.push(run),
    ...overlay,
  })
  return { queue, state, turn: () => turns.shift()?.(), turns }
}

describe('server/shadow/shadow-queue', () => {
  it('does nothing while something is offered, and one item a turn after it', () => {
    const { queue, state, turn, turns } = build()
    for (const item of [1, 2, 3]) queue.offer(() => item)
    expect([state.done, turns.length]).to.deep.equal([[], 1])
    turn()
    expect([state.done, turns.length]).to.deep.equal([[1], 1])
    turn()
    turn()
    expect([state.done, turns.length]).to.deep.equal([[1, 2, 3], 0])
    queue.offer(() => 4)
    turn()
    expect(state.done).to.deep.equal([1, 2, 3, 4])
  })

  it('takes its share', () => {
    const numbers = [0.05, 0.1, 0.2, 0.09, 0.99]
    const { queue, turn, state } = build({ sample: 0.1, random: () => numbers.shift() ?? 1 })
    for (const item of [1, 2, 3, 4, 5]) queue.offer(() => item)
    for (let count = 0; count < 5; count++) turn()
    expect([state.done, state.dropped]).to.deep.equal([[1, 4], 0])
  })

  it('makes only what is chosen, and drops nothing that is not there', () => {
    const numbers = [0.5, 0.05]
    const { queue, turn, state } = build({ sample: 0.1, random: () => numbers.shift() ?? 1 })
    let made = 0
    const make = () => {
      made++
      return undefined
    }
    queue.offer(make)
    queue.offer(make)
    turn()
    expect([made, state.done, state.dropped]).to.deep.equal([1, [], 0])
  })

  it('drops and counts what would make it wait without end', () => {
    const { queue, state, turns, turn } = build()
    for (let item = 0; item < 150; item++) queue.offer(() => item)
    expect(state.dropped).to.equal(0)
    while (turns.length > 0) turn()
    expect([state.done.length, state.dropped]).to.deep.equal([100, 50])
  })

  it('drops and counts what is more than it may do in a second, and soon says so', () => {
    const { queue, state, turns, turn } = build({ perSecond: 10 })
    const offerTwenty = () => {
      for (let item = 0; item < 20; item++) queue.offer(() => item)
      while (turns.length > 0) turn()
      return [state.done.length, state.dropped]
    }
    expect(offerTwenty()).to.deep.equal([10, 10])
    expect(offerTwenty()).to.deep.equal([10, 30])
    state.nowMs += 200
    expect(offerTwenty()).to.deep.equal([12, 48])
    state.nowMs += 60_000
    expect(offerTwenty()).to.deep.equal([22, 58])
  })

  it('lets go of what waits', () => {
    const { queue, state, turn } = build()
    queue.offer(() => 1)
    queue.clear()
    turn()
    expect(state.done).to.deep.equal([])
  })
})
