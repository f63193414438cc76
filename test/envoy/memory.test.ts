import { expect } from 'chai'
import {
  closeMemoryAccount,
  createSharedMemory,
  giveMemory,
  openMemoryAccount,
  takeMemory,
} from '../../src/envoy/memory.ts'

describe('envoy/memory', () => {
  it('lets no address hold more than it leaves free for the others', () => {
    const shared = createSharedMemory(64_000)
    const held = Array.from({ length: 8 }, (_, index) => {
      const account = openMemoryAccount(shared, 16_000, `10.0.0.${index}`)
      while (takeMemory(account, 100)) {}
      return account.usedBytes
    })
    expect(held).to.deep.equal([16_000, 16_000, 16_000, 8000, 4000, 2000, 1000, 500])
  })

  it('gives an address no more for many connections than for a few', () => {
    const shared = createSharedMemory(64_000)
    const accounts = Array.from({ length: 100 }, () => openMemoryAccount(shared, 16_000, '10.0.0.1'))
    for (const account of accounts) while (takeMemory(account, 100)) {}
    expect(shared.usedBytes).to.equal(32_000)
    expect(takeMemory(openMemoryAccount(shared, 16_000, '10.0.0.2'), 16_000)).to.equal(true)
  })

  it('takes nothing of what it refuses, and gives back what it took', () => {
    const shared = createSharedMemory(1000)
    const account = openMemoryAccount(shared, 400, '')
    expect([takeMemory(account, 401), takeMemory(account, 400)]).to.deep.equal([false, true])
    giveMemory(account, 400)
    expect([account.usedBytes, account.share.usedBytes, shared.usedBytes]).to.deep.equal([0, 0, 0])
  })

  it('forgets an address with its last connection', () => {
    const shared = createSharedMemory(1000)
    const accounts = [1, 2].map(() => openMemoryAccount(shared, 400, '10.0.0.1'))
    const sizes = accounts.map((account) => {
      closeMemoryAccount(account)
      return shared.shares.size
    })
    expect(sizes).to.deep.equal([1, 0])
  })
})
