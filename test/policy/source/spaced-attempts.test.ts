import { expect } from 'chai'
import { type Fault, fault } from '../../../src/base/model/fault.ts'
import { spaceAttempts } from '../../../src/policy/source/spaced-attempts.ts'

type Result = { readonly kind: 'done' } | Fault

describe('policy/source/spaced-attempts', () => {
  const clock = { nowMs: 0 }
  let attempts = 0
  beforeEach(() => {
    clock.nowMs = 1_000_000
    attempts = 0
  })
  const done: Result = { kind: 'done' }
  const failing: Result = fault('no memory')
  const attemptOf = (result: Result, tookMs: number) => async () => {
    attempts++
    clock.nowMs += tookMs
    return result
  }

  it('repeats at once what failed at once, or did not fail', async () => {
    const attempt = spaceAttempts(() => clock.nowMs)
    for (const result of [failing, failing, done, done])
      expect(await attempt<Result>('one', attemptOf(result, 0))).to.equal(result)
    expect(attempts).to.equal(4)
  })

  it('waits four times as long as a failure took, and says meanwhile why', async () => {
    const attempt = spaceAttempts(() => clock.nowMs)
    await attempt<Result>('one', attemptOf(failing, 60_000))
    clock.nowMs += 239_999
    expect(await attempt<Result>('one', attemptOf(done, 0))).to.equal(failing)
    expect(attempts).to.equal(1)
    clock.nowMs += 1
    expect(await attempt<Result>('one', attemptOf(done, 0))).to.equal(done)
    expect(attempts).to.equal(2)
  })

  it('does not wait for another thing, nor by a clock that was set back', async () => {
    const attempt = spaceAttempts(() => clock.nowMs)
    await attempt<Result>('one', attemptOf(failing, 60_000))
    expect(await attempt<Result>('other', attemptOf(done, 0))).to.equal(done)
    await attempt<Result>('one', attemptOf(failing, 60_000))
    clock.nowMs -= 3_600_000
    expect(await attempt<Result>('one', attemptOf(done, 0))).to.equal(done)
  })
})
