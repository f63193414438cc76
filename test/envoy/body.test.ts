import { expect } from 'chai'
import { appendToBody, createBody, releaseBody } from '../../src/envoy/body.ts'
import { createSharedMemory, openMemoryAccount } from '../../src/envoy/memory.ts'

describe('envoy/body', () => {
  it('gathers chunks in their order, counts their buffer, and gives it back', () => {
    const account = openMemoryAccount(createSharedMemory(1_000_000), 1_000_000, '')
    const body = createBody()
    for (let index = 0; index < 100; index++) appendToBody(body, account, Buffer.alloc(100, index), 20_000)
    expect(body.length).to.equal(10_000)
    expect(body.bytes.subarray(0, 10_000)).to.deep.equal(
      Buffer.concat(Array.from({ length: 100 }, (_, index) => Buffer.alloc(100, index))),
    )
    expect(account.usedBytes).to.equal(body.bytes.length)
    releaseBody(body, account)
    expect(account.shared.usedBytes).to.equal(0)
  })

  it('makes no more room than is expected, unless more comes, and no less than has come', () => {
    const account = openMemoryAccount(createSharedMemory(1_000_000), 1_000_000, '')
    const body = createBody()
    const rooms = [10, 90, 1].map((size) => {
      appendToBody(body, account, Buffer.alloc(size), 1000, 100)
      return account.usedBytes
    })
    expect(rooms).to.deep.equal([100, 100, 1000])
  })

  it('doubles, whatever was expected, so that bytes are not copied again and again', () => {
    const account = openMemoryAccount(createSharedMemory(1_000_000), 1_000_000, '')
    const body = createBody()
    const buffers = new Set<Buffer>()
    for (let part = 0; part < 1000; part++) {
      appendToBody(body, account, Buffer.alloc(256), 1_000_000, 5)
      buffers.add(body.bytes)
    }
    expect(buffers.size).to.be.below(10)
  })

  it('takes no more than it may, and then keeps what it has', () => {
    const account = openMemoryAccount(createSharedMemory(1_000_000), 1_000_000, '')
    const body = createBody()
    expect(appendToBody(body, account, Buffer.alloc(100), 100)).to.equal(true)
    expect(appendToBody(body, account, Buffer.alloc(1), 100)).to.equal(false)
    expect(body.length).to.equal(100)
  })

  for (const { name, shared, own } of [
    { name: 'the connection', shared: 1_000_000, own: 5000 },
    { name: 'all together', shared: 10_000, own: 1_000_000 },
  ]) {
    it(`takes nothing when ${name} would hold too much`, () => {
      const account = openMemoryAccount(createSharedMemory(shared), own, '')
      const body = createBody()
      expect(appendToBody(body, account, Buffer.alloc(5000), 1_000_000)).to.equal(true)
      expect(appendToBody(body, account, Buffer.alloc(5000), 1_000_000)).to.equal(false)
      expect(account.shared.usedBytes).to.equal(5000)
    })
  }
})
