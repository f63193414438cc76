import { expect } from 'chai'
import { createTokenBucket, earn, spend } from '../../../src/envoy/http2/token-bucket.ts'

describe('envoy/http2/token-bucket', () => {
  it('gives its burst at once and no more', () => {
    const bucket = createTokenBucket(3, 100, 0)
    expect([0, 0, 0, 0].map((nowMs) => spend(bucket, 1, nowMs))).to.deep.equal([true, true, true, false])
  })

  it('fills with time, up to its burst', () => {
    const bucket = createTokenBucket(3, 100, 0)
    spend(bucket, 3, 0)
    expect(spend(bucket, 2, 10)).to.equal(false)
    expect(spend(bucket, 2, 30)).to.equal(true)
    expect(spend(bucket, 4, 1_000_000)).to.equal(false)
  })

  it('fills with what is earned, up to its burst', () => {
    const bucket = createTokenBucket(3, 0, 0)
    spend(bucket, 3, 0)
    earn(bucket, 2)
    expect(spend(bucket, 2, 0)).to.equal(true)
    earn(bucket, 100)
    expect(bucket.tokens).to.equal(3)
  })

  it('takes nothing from a clock that goes back', () => {
    const bucket = createTokenBucket(3, 100, 1000)
    expect(spend(bucket, 3, 0)).to.equal(true)
  })
})
