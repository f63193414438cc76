import { expect } from 'chai'
import {
  type ConnectionLimit,
  createConnectionLimit,
  type LimitedConnection,
  type Phase,
} from '../../../src/base/http/connection-limit.ts'

const all: readonly Phase[] = ['idle', 'unfinished', 'busy']

describe('base/http/connection-limit', () => {
  it('lets no address hold more than it leaves free, and goes on to take its newest', () => {
    const { enter, held } = createTestLimit(16, all)
    for (let count = 0; count < 100; count++) enter(`a${count}`, 'a')
    expect(held('a')).to.deep.equal(Array.from({ length: 8 }, (_, index) => `a${92 + index}`))
  })

  it('takes from an address that holds more, until both hold as many', () => {
    const { enter, held } = createTestLimit(16, all)
    for (let count = 0; count < 100; count++) enter(`a${count}`, 'a')
    for (let count = 0; count < 100; count++) enter(`b${count}`, 'b')
    expect([held('a').length, held('b').length]).to.deep.equal([5, 7])
  })

  it('takes a newcomer though more addresses than there is room have taken all that they may', () => {
    const { enter, limit } = createTestLimit(16, all)
    const answers: boolean[] = []
    for (let address = 0; address < 40; address++) {
      for (let count = 0; count < 10; count++) answers.push(enter(`${address}-${count}`, `${address}`))
    }
    expect(answers).to.not.include(false)
    expect(limit.size()).to.be.at.most(16)
  })

  for (const { name, phases, evicted } of [
    { name: 'one that is idle', phases: ['busy', 'unfinished', 'idle', 'idle'], evicted: 'c2' },
    { name: 'the oldest that is not finished', phases: ['busy', 'unfinished', 'unfinished'], evicted: 'c1' },
    { name: 'the oldest', phases: ['busy', 'busy', 'busy'], evicted: 'c0' },
  ] as const) {
    it(`makes room at the address that holds most: ${name}`, () => {
      const { enter, evictions } = createTestLimit(2 * phases.length + 1, all)
      enter('other', 'b', 'idle')
      for (const [index, phase] of phases.entries()) enter(`c${index}`, 'a', phase)
      enter('one more', 'a')
      expect(evictions).to.deep.equal([evicted])
    })
  }

  it('costs no other address a connection while its own cannot be ended', () => {
    const { enter, evictions } = createTestLimit(8, ['unfinished', 'idle'])
    enter('other', 'b', 'idle')
    for (let count = 0; count < 20; count++) enter(`a${count}`, 'a', 'busy')
    expect(enter('one more', 'a', 'busy')).to.equal(false)
    expect(evictions).to.deep.equal([])
  })

  it('takes one connection where there is room for one', () => {
    const { enter, evictions } = createTestLimit(1, all)
    expect([enter('first', 'a'), enter('second', 'b')]).to.deep.equal([true, true])
    expect(evictions).to.deep.equal(['first'])
  })

  it('has room again when a connection leaves, and counts one that leaves twice once', () => {
    const { enter, leave, evictions, limit } = createTestLimit(4, all)
    for (const name of ['a1', 'a2']) enter(name, 'a')
    leave('a1')
    leave('a1')
    enter('a3', 'a')
    expect([limit.size(), evictions]).to.deep.equal([2, []])
  })
})

function createTestLimit(max: number, evictable: readonly Phase[]) {
  const limit: ConnectionLimit = createConnectionLimit(max, evictable)
  const connections = new Map<string, LimitedConnection>()
  const evictions: string[] = []
  const leave = (name: string) => {
    const connection = connections.get(name)
    if (connection !== undefined) limit.leave(connection)
  }
  const enter = (name: string, address: string, phase: Phase = 'unfinished') => {
    const connection = { address, phase: () => phase, evict: () => void evictions.push(name) }
    connections.set(name, connection)
    return limit.enter(connection)
  }
  const held = (address: string) =>
    [...connections].flatMap(([name, connection]) =>
      connection.address === address && !evictions.includes(name) ? [name] : [],
    )
  return { limit, enter, leave, held, evictions }
}
