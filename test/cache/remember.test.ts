import { expect } from 'chai'
import { remember, rememberAsync, rememberLatest } from '../../src/cache/remember.ts'

type Answer = { readonly to: string; readonly isFault: boolean }

const options = {
  maxEntries: 2,
  keyOf: (argument: string) => argument,
  isWorth: ({ isFault }: Answer) => !isFault,
}
const answer = (to: string): Answer => ({ to, isFault: to.startsWith('fault') })

describe('cache/remember', () => {
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

  it('lets those who ask at once wait for one answer', async () => {
    let asked = 0
    const ask = rememberAsync(async (argument: string) => {
      asked++
      return answer(argument)
    }, options)
    expect((await Promise.all([ask('a'), ask('a'), ask('a')])).map(({ to }) => to)).to.deep.equal([
      'a',
      'a',
      'a',
    ])
    expect(asked).to.equal(1)
  })

  it('remembers neither a fault nor a failure that it waited for', async () => {
    let asked = 0
    const ask = rememberAsync(async (argument: string) => {
      asked++
      if (argument === 'throw') throw new RangeError('failed')
      return answer(argument)
    }, options)
    for (let round = 0; round < 2; round++) {
      await ask('fault')
      expect(await ask('throw').catch((cause: unknown) => cause)).to.be.instanceOf(RangeError)
    }
    expect(asked).to.equal(4)
  })

  it('asks anew when an answer is not fresh for the argument, and shares the new one', async () => {
    let asked = 0
    const ask = rememberAsync(async (age: number) => ({ to: String(age), isFault: false, asked: ++asked }), {
      maxEntries: 2,
      keyOf: () => 'one',
      isWorth: () => true,
      isFresh: ({ to }, age: number) => age - Number(to) < 10,
    })
    const answers = []
    for (const age of [0, 9, 10, 19, 20]) answers.push((await ask(age)).asked)
    expect(answers).to.deep.equal([1, 1, 2, 2, 3])
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
