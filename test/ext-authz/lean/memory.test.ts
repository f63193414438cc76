import { expect } from 'chai'
import { createMemoryAccount, giveMemory, takeMemory } from '../../../src/ext-authz/lean/memory.ts'

describe('ext-authz/lean/memory', () => {
  it('lets no connection hold more than it leaves free for the others', () => {
    const shared = { usedBytes: 0, maxBytes: 64_000 }
    const held = Array.from({ length: 8 }, () => {
      const account = createMemoryAccount(shared, 16_000)
      while (takeMemory(account, 100)) {}
      return account.usedBytes
    })
    expect(held).to.deep.equal([16_000, 16_000, 16_000, 8000, 4000, 2000, 1000, 500])
  })

  it('takes nothing of what it refuses, and gives back what it took', () => {
    const shared = { usedBytes: 0, maxBytes: 1000 }
    const account = createMemoryAccount(shared, 400)
    expect([takeMemory(account, 401), takeMemory(account, 400)]).to.deep.equal([false, true])
    giveMemory(account, 400)
    expect([account.usedBytes, shared.usedBytes]).to.deep.equal([0, 0])
  })
})
