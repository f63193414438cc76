import { expect } from 'chai'
import { createGenerations, createMemory } from '../../../src/base/cache/memory.ts'
import { measureHeap } from '../../support/memory.ts'

describe('base/cache/memory', () => {
  it('forgets what was used least when it is full', () => {
    const { get, set } = createMemory<{ n: number }>({ maxEntries: 2 })
    set('a', { n: 1 })
    set('b', { n: 2 })
    get('a')
    set('c', { n: 3 })
    expect(['a', 'b', 'c'].map((key) => get(key)?.n)).to.deep.equal([1, undefined, 3])
  })

  it('takes no more room than it may', () => {
    const { get, set } = createMemory<{ n: number }>({ maxEntries: 100, maxBytes: 10 })
    set('a', { n: 1 }, 4)
    set('b', { n: 2 }, 4)
    set('c', { n: 3 }, 4)
    set('too large for all', { n: 4 }, 20)
    expect(['a', 'b', 'c', 'too large for all'].map((key) => get(key)?.n)).to.deep.equal([
      undefined,
      2,
      3,
      undefined,
    ])
  })

  it('keeps of a key its text, and not what it was made of', async () => {
    const count = 1000
    const same = {}
    const { bytes } = await measureHeap(() => {
      const memory = createMemory<object>({ maxEntries: count })
      for (let argument = 0; argument < count; argument++) {
        const key = Array.from({ length: 100 }).reduce((text: string) => `${text}${argument} `, '')
        memory.set(key, same)
      }
      return memory
    })
    expect(bytes / count).to.be.lessThan(1200)
  })

  it('begins anew with each generation, and remembers none that is over', () => {
    const by = createGenerations<{ n: number }>({ maxEntries: 2 })
    by('one').set('a', { n: 1 })
    expect(by('one').get('a')?.n).to.equal(1)
    expect(by('two').get('a')).to.equal(undefined)
    expect(by('one').get('a')).to.equal(undefined)
  })
})
