import { expect } from 'chai'
import { byDeadline, elapsedMs } from '../../src/server/by-deadline.ts'
import { stepWallClock, wallClockSteps } from '../support/wall-clock.ts'

const never = new Promise<string>(() => {})
const late = () => 'late'

describe('server/by-deadline', () => {
  it('gives the result of work that ends in time', async () => {
    const work = new Promise<string>((resolve) => setImmediate(resolve, 'done'))
    expect(await byDeadline(work, elapsedMs() + 600_000, late)).to.equal('done')
  })

  for (const leftMs of [60_000, 600_000]) {
    it(`waits for work that takes some time, ${leftMs} ms before its deadline`, async () => {
      // Longer than the shortest timer, which a deadline that passes at once would be.
      const work = new Promise<string>((resolve) => setTimeout(resolve, 20, 'done'))
      expect(await byDeadline(work, elapsedMs() + leftMs, late)).to.equal('done')
    })
  }

  it('passes a failure on', async () => {
    const outcome = byDeadline(Promise.reject(new RangeError('bug')), elapsedMs() + 600_000, late)
    expect(await outcome.catch((cause: unknown) => cause)).to.be.instanceOf(RangeError)
  })

  for (const { name, leftMs } of [
    { name: 'passes', leftMs: 5 },
    { name: 'has passed', leftMs: -5 },
  ]) {
    it(`stands in for work that has not ended when its deadline ${name}`, async () => {
      expect(await byDeadline(never, elapsedMs() + leftMs, late)).to.equal('late')
    })
  }

  for (const { name, stepMs } of wallClockSteps) {
    it(`neither ends nor prolongs work when the wall clock is put ${name}`, async () => {
      const [soonMs, farMs] = [elapsedMs() + 5, elapsedMs() + 600_000]
      using _step = stepWallClock(stepMs)
      const work = new Promise<string>((resolve) => setImmediate(resolve, 'done'))
      expect(await byDeadline(work, farMs, late)).to.equal('done')
      expect(await byDeadline(never, soonMs, late)).to.equal('late')
    })
  }
})
