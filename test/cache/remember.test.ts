import { expect } from 'chai'
import {
  digestKey,
  identityOf,
  remember,
  rememberEach,
  rememberEventual,
  rememberLatest,
} from '../../src/cache/remember.ts'

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
    const ask = rememberEventual(async (argument: string) => {
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
    const ask = rememberEventual(async (argument: string) => {
      asked++
      if (argument === 'throw') throw new RangeError('failed')
      return answer(argument)
    }, options)
    for (let round = 0; round < 2; round++) {
      await ask('fault')
      expect(await Promise.resolve(ask('throw')).catch((cause: unknown) => cause)).to.be.instanceOf(
        RangeError,
      )
    }
    expect(asked).to.equal(4)
  })

  it('asks anew when an answer is not fresh for the argument, and shares the new one', async () => {
    let asked = 0
    const ask = rememberEventual(
      async (age: number) => ({ to: String(age), isFault: false, asked: ++asked }),
      {
        maxEntries: 2,
        keyOf: () => 'one',
        isWorth: () => true,
        isFresh: ({ to }, age: number) => age - Number(to) < 10,
      },
    )
    const answers = []
    for (const age of [0, 9, 10, 19, 20]) answers.push((await ask(age)).asked)
    expect(answers).to.deep.equal([1, 1, 2, 2, 3])
  })

  it('hands out at once what it knows, without a promise', async () => {
    const ask = rememberEventual(async (argument: string) => answer(argument), options)
    expect(ask('a')).to.be.instanceOf(Promise)
    await ask('a')
    expect(ask('a')).to.deep.equal(answer('a'))
  })

  it('tells arguments apart that have a key in common, known or still asked', async () => {
    const asked: string[] = []
    const ask = rememberEventual(
      async (argument: string) => {
        asked.push(argument)
        return answer(argument)
      },
      { ...options, keyOf: (argument) => argument.slice(-1), isSame: (one, other) => one === other },
    )
    const both = await Promise.all([ask('1a'), ask('2a'), ask('1a')])
    expect(both.map(({ to }) => to)).to.deep.equal(['1a', '2a', '1a'])
    expect((await ask('1a')).to).to.equal('1a')
    expect((await ask('2a')).to).to.equal('2a')
    expect(asked).to.include.members(['1a', '2a'])
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

  it('remembers for each object, as long as it lives', () => {
    let made = 0
    const make = rememberEach((_object: object) => ++made)
    const [a, b] = [{}, {}]
    expect([make(a), make(b), make(a), make({ ...a })]).to.deep.equal([1, 2, 1, 3])
  })

  it('knows an object again, and no other for it', () => {
    const [a, b] = [{ n: 1 }, { n: 1 }]
    expect(identityOf(a)).to.equal(identityOf(a))
    expect(new Set([identityOf(a), identityOf(b), identityOf({ ...a })]).size).to.equal(3)
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
