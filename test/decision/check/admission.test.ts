import { expect } from 'chai'
import fc from 'fast-check'
import type { SpiffeId } from '../../../src/base/model/spiffe-id.ts'
import { createAdmission, lookMs } from '../../../src/decision/check/admission.ts'
import { type Demand, flood, type Outcome } from '../../support/flooded-server.ts'
import { spiffeId } from '../../support/forge.ts'

const flooder = agent('flooder')
const others = ['a', 'b', 'c', 'd', 'e'].map(agent)
const modest: readonly Demand[] = others.map((caller) => ({ caller, perSecond: 40 }))

describe('decision/check/admission', () => {
  it('admits everybody while answers are in time, whatever they cost', () => {
    const { ask, pass } = build()
    for (let window = 0; window < 5; window++) {
      expect(ask(flooder, 30)).to.equal(0)
      pass(60, 5)
    }
  })

  it('lets one late moment pass', () => {
    const { ask, pass } = build()
    ask(flooder, 30)
    pass(1, 500)
    expect(ask(flooder, 30)).to.equal(0)
    pass(200)
    expect(ask(flooder, 30)).to.equal(0)
  })

  it('lets one late window pass, whatever a caller costs in the next', () => {
    const { ask, pass } = build()
    ask(flooder, 30)
    pass(1, 500)
    // More than what everybody has, and more work than half of what it had done before.
    expect(ask(flooder, 90, 0.4)).to.equal(0)
  })

  it('lets late looks pass while one in each window is in time', () => {
    const { ask, pass } = build()
    for (let window = 0; window < 10; window++) {
      expect(ask(flooder, 100, 0.1)).to.equal(0)
      pass(1)
      pass(1, 60)
    }
  })

  it('refuses nobody while it is late for want of a processor that others use', () => {
    const { ask, pass } = build(1000, () => 0.4)
    for (let round = 0; round < 10; round++) {
      expect(ask(flooder, 40)).to.equal(0)
      pass(60, 50)
    }
  })

  it('sees that it is late in the midst of work that does not pause', () => {
    const { ask } = build()
    expect(ask(flooder, 60)).to.equal(0)
    expect(ask(flooder, 200)).to.be.above(0)
    expect(ask(others[0] ?? flooder, 3)).to.equal(0)
  })

  it('refuses the caller that costs most when the event loop stays late, and nobody else', () => {
    const { ask, pass } = build()
    const cheap = agent('cheap')
    for (let round = 0; round < 5; round++) {
      ask(flooder, 40)
      for (const caller of others) expect(ask(caller, 1)).to.equal(0)
      // Asks more often than all others together, and costs little.
      expect(ask(cheap, 200, 0.005)).to.equal(0)
      pass(60, 50)
    }
    expect(ask(flooder, 40)).to.be.above(30)
  })

  it('admits everybody again within seconds', () => {
    const { ask, pass } = build()
    for (let round = 0; round < 10; round++) {
      ask(flooder, 40)
      pass(60, 50)
    }
    expect(ask(flooder, 40)).to.be.above(0)
    pass(7000)
    expect(ask(flooder, 45)).to.equal(0)
    // More than what everybody has even of a late server.
    expect(ask(flooder, 90, 0.4)).to.equal(0)
  })

  it('never refuses a caller for the little that everybody has', () => {
    const { ask, pass } = build()
    for (let round = 0; round < 200; round++) {
      ask(flooder, 10)
      pass(60, 1000)
    }
    for (const caller of others) expect(ask(caller, 55)).to.equal(0)
    for (let round = 0; round < 20; round++) {
      pass(60, 1000)
      for (const caller of others) expect(ask(caller, 3)).to.equal(0)
    }
    expect(ask(others[0] ?? flooder, 80)).to.be.above(0)
  })

  it('gives nobody more places than are left', () => {
    const { take } = build(8)
    expect([1, 2, 3, 4, 5].map(() => take(flooder))).to.deep.equal([true, true, true, true, false])
    expect(others.slice(0, 4).map(take)).to.deep.equal([true, true, true, true])
    expect(take(agent('late'))).to.equal(false)
  })

  it('gives places back', () => {
    const { admission, take } = build(2)
    const free = admission.hold(flooder)
    expect(take(flooder)).to.equal(false)
    free()
    expect(take(flooder)).to.equal(true)
  })

  it('gives back to a caller the places that it had', () => {
    const { admission, take } = build(8)
    for (let round = 0; round < 10; round++) {
      const holds = Array.from({ length: 4 }, () => admission.hold(flooder))
      expect(admission.refuse(flooder)).to.include({ code: 'overloaded' })
      for (const free of holds) free()
    }
    expect([1, 2, 3, 4, 5].map(() => take(flooder))).to.deep.equal([true, true, true, true, false])
  })

  it('refuses everybody while all places are taken, by callers that are known or not', () => {
    const { admission } = build(2)
    const holds = [admission.hold(undefined), admission.hold(flooder)]
    expect(admission.refuseAll()).to.include({ code: 'overloaded' })
    for (const free of holds) free()
    expect(admission.refuseAll()).to.equal(undefined)
  })

  it('keeps a bounded table of callers', () => {
    const { ask, take } = build(8)
    for (let caller = 0; caller < 5000; caller++) expect(ask(agent(`x${caller}`), 1, 0)).to.equal(0)
    // Those for whom the table has no room share their places.
    for (let place = 0; place < 4; place++) take(agent(`x${4990 + place}`))
    expect(take(agent('x4999'))).to.equal(false)
    expect(take(agent('x0'))).to.equal(true)
  })

  describe('before a server that one caller floods with three times what it can do', () => {
    const stopMs = 4000
    let outcomes: readonly Outcome[]
    before(() => {
      const { admission, clock } = build()
      const demands = [...modest, { caller: flooder, perSecond: 3000, untilMs: stopMs }]
      outcomes = flood(admission, clock, demands, { costMs: 1, forMs: stopMs + 1000 })
    })
    const of = (callers: readonly SpiffeId[], fromMs: number, toMs = Number.POSITIVE_INFINITY) =>
      outcomes.filter(
        ({ uri, atMs }) => callers.some((caller) => caller.uri === uri) && atMs >= fromMs && atMs < toMs,
      )
    const refused = (seen: readonly Outcome[]) => seen.filter(({ isRefused }) => isRefused).length
    const late = (seen: readonly Outcome[]) => seen.filter(({ waitedMs }) => waitedMs > 150).length

    it('lets the others pass, and after a second nearly all in time', () => {
      expect(refused(of(others, 0))).to.equal(0)
      expect(late(of(others, 1000))).to.be.below(of(others, 1000).length / 20)
    })

    it('keeps the server at work', () => {
      const seen = of([flooder, ...others], 1000, stopMs)
      expect(seen.length - refused(seen)).to.be.above(1000)
    })

    it('makes nobody wait once the flood is over', () => {
      expect(Math.max(...of(others, stopMs + 300).map(({ waitedMs }) => waitedMs))).to.be.below(5)
    })
  })

  it('holds with any number of callers: one that asks for less than an equal part is not refused', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 100, max: 3000 }), { minLength: 1, maxLength: 4 }), (rates) => {
        const { admission, clock } = build()
        const floods = rates.map((perSecond, index) => ({ caller: agent(`flooder-${index}`), perSecond }))
        const outcomes = flood(admission, clock, [...modest, ...floods], { costMs: 1, forMs: 1500 })
        const mine = outcomes.filter(({ uri }) => others.some((caller) => caller.uri === uri))
        expect(mine.filter(({ isRefused }) => isRefused)).to.deep.equal([])
      }),
      { numRuns: 5 },
    )
  })
})

function agent(name: string): SpiffeId {
  return spiffeId(`spiffe://hospital.example/ns/billing/sa/${name}`)
}

function build(maxInFlight = 1000, utilization = () => 1) {
  const clock = { nowMs: 0 }
  const admission = createAdmission({
    maxInFlight,
    targetMs: 50,
    elapsedMs: () => clock.nowMs,
    utilization,
  })
  /** Lets time pass, with every look so much too late. */
  const pass = (ms: number, lateMs = 0): void => {
    for (const endMs = clock.nowMs + ms; clock.nowMs < endMs; ) {
      clock.nowMs += lookMs + lateMs
      admission.look()
    }
  }
  /** How many of so many checks, which answer at once, are refused. */
  const ask = (caller: SpiffeId, times: number, costMs = 1): number => {
    let refused = 0
    for (let asked = 0; asked < times; asked++) {
      if (admission.refuse(caller) !== undefined) {
        refused++
        continue
      }
      clock.nowMs += costMs
      admission.charge(caller, costMs)
    }
    return refused
  }
  /** Begins a check that never ends; whether it could. */
  const take = (caller: SpiffeId): boolean => {
    if (admission.refuse(caller) !== undefined) return false
    admission.charge(caller, 0)
    admission.hold(caller)
    return true
  }
  return { admission, clock, pass, ask, take }
}
