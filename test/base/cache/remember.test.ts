import { expect } from 'chai'
import { digestKey, remember, rememberEach, rememberLatest } from '../../../src/base/cache/remember.ts'
import { measureHeap } from '../../support/memory.ts'

type Answer = { readonly to: string; readonly isFault: boolean }

const options = {
  maxEntries: 2,
  keyOf: (argument: string) => argument,
  isWorth: ({ isFault }: Answer) => !isFault,
}
const answer = (to: string): Answer => ({ to, isFault: to.startsWith('fault') })

describe('base/cache/remember', () => {
  it('asks once, and gives the same answer again', () => {
    const asked: string[] = []
    const ask = remember((argument: string) => {
      asked.push(argument)
      return answer(argument)
    }, options)
    expect(['a', 'a', 'b', 'a'].map((argument) => ask(argument).to)).to.deep.equal(['a', 'a', 'b', 'a'])
    expect(asked).to.deep.equal(['a', 'b'])
  })

  it('never remembers a fault', () => {
    const asked: string[] = []
    const ask = remember((argument: string) => {
      asked.push(argument)
      return answer(argument)
    }, options)
    ask('fault')
    ask('fault')
    expect(asked).to.have.length(2)
  })

  it('forgets what was used least when it is full', () => {
    const asked: string[] = []
    const ask = remember((argument: string) => {
      asked.push(argument)
      return answer(argument)
    }, options)
    for (const argument of ['a', 'b', 'a', 'c', 'a', 'b']) ask(argument)
    expect(asked).to.deep.equal(['a', 'b', 'c', 'b'])
  })

  it('never remembers a failure', () => {
    let asked = 0
    const ask = remember((argument: string): Answer => {
      asked++
      throw new RangeError(argument)
    }, options)
    for (let round = 0; round < 2; round++) expect(() => ask('throw')).to.throw(RangeError)
    expect(asked).to.equal(2)
  })

  it('tells arguments apart that have a key in common', () => {
    const asked: string[] = []
    const ask = remember(
      (argument: string) => {
        asked.push(argument)
        return answer(argument)
      },
      { ...options, keyOf: (argument) => argument.slice(-1), isSame: (one, other) => one === other },
    )
    expect(['1a', '2a', '2a', '1a'].map((argument) => ask(argument).to)).to.deep.equal([
      '1a',
      '2a',
      '2a',
      '1a',
    ])
    expect(asked).to.deep.equal(['1a', '2a', '1a'])
  })

  it('takes no more room than it may', () => {
    const asked: string[] = []
    const ask = remember(
      (argument: string) => {
        asked.push(argument)
        return answer(argument)
      },
      { ...options, maxEntries: 100, room: { maxBytes: 10, bytesOf: (argument) => argument.length } },
    )
    for (const argument of ['aaaa', 'bbbb', 'aaaa', 'cccc', 'bbbb', 'too long for all', 'too long for all'])
      ask(argument)
    const again = ['too long for all', 'too long for all']
    expect(asked).to.deep.equal(['aaaa', 'bbbb', 'cccc', 'bbbb', ...again])
  })

  it('keeps of a key its text, and not what it was made of', async () => {
    const count = 1000
    const same = answer('same')
    const { bytes } = await measureHeap(() => {
      const ask = remember((_argument: number) => same, {
        maxEntries: count,
        keyOf: (argument) => Array.from({ length: 100 }).reduce((key: string) => `${key}${argument} `, ''),
        isWorth: () => true,
      })
      for (let argument = 0; argument < count; argument++) ask(argument)
      return ask
    })
    expect(bytes / count).to.be.lessThan(1200)
  })

  it('remembers for each object, as long as it lives', () => {
    let made = 0
    const make = rememberEach((_object: object) => ++made)
    const [a, b] = [{}, {}]
    expect([make(a), make(b), make(a), make({ ...a })]).to.deep.equal([1, 2, 1, 3])
  })

  it('shortens keys so that no two are one', () => {
    expect(digestKey('a')).to.not.equal(digestKey('b'))
  })

  it('remembers the last answer for the same objects alone', () => {
    let made = 0
    const make = rememberLatest((one: object, other: object) => ({ one, other, made: ++made }))
    const [a, b] = [{}, {}]
    expect([make(a, b), make(a, b), make(b, a), make(a, b)].map((answer) => answer.made)).to.deep.equal([
      1, 1, 2, 3,
    ])
  })
})
