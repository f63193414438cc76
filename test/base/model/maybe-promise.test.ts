import { expect } from 'chai'
import { andThen } from '../../../src/base/model/maybe-promise.ts'

describe('base/model/maybe-promise', () => {
  it('goes on at once with what is there', () => {
    expect(andThen(1, (value) => value + 1)).to.equal(2)
  })

  it('goes on later with what has to be waited for', async () => {
    const later = andThen(Promise.resolve(1), (value) => value + 1)
    expect(later).to.be.instanceOf(Promise)
    expect(await later).to.equal(2)
  })

  it('hands a failure on', async () => {
    const failed = andThen(Promise.reject(new RangeError('bug')), () => 1)
    expect(await Promise.resolve(failed).catch((cause: unknown) => cause)).to.be.instanceOf(RangeError)
  })
})
