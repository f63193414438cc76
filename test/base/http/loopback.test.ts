import { expect } from 'chai'
import { isLoopback } from '../../../src/base/http/loopback.ts'

describe('base/http/loopback', () => {
  it('knows loopback addresses', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1'].every(isLoopback)).to.equal(true)
    expect(['0.0.0.0', '::', '10.0.0.1', '::ffff:127.0.0.1'].some(isLoopback)).to.equal(false)
  })
})
