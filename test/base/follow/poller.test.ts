import { expect } from 'chai'
import { type Later, type Polled, Poller, type PollNews } from '../../../src/base/follow/poller.ts'

/** Timers that go off only when their time is set. */
function createTimers() {
  const waiting = new Set<{ readonly run: () => void; readonly atMs: number }>()
  const clock = { nowMs: 1000 }
  const later: Later = (run, ms) => {
    const timer = { run, atMs: clock.nowMs + ms }
    waiting.add(timer)
    return () => waiting.delete(timer)
  }
  return {
    later,
    nowMs: () => clock.nowMs,
    waits: () => [...waiting].map(({ atMs }) => atMs - clock.nowMs),
    advance(ms: number) {
      clock.nowMs += ms
      for (const timer of waiting)
        if (timer.atMs <= clock.nowMs) {
          waiting.delete(timer)
          timer.run()
        }
    },
  }
}

const clean: Polled = { faults: [], refusals: [] }
const unchanged: Polled = { faults: [], refusals: 'unchanged' }
const failing: Polled = { faults: ['EMFILE'], refusals: 'unchanged' }
const bad: Polled = { faults: [], refusals: ['bad'] }

describe('base/follow/poller', () => {
  let timers: ReturnType<typeof createTimers>
  let news: PollNews[]
  let finds: () => Promise<Polled>
  beforeEach(() => {
    timers = createTimers()
    news = []
    finds = async () => clean
  })
  const open = (random = 0.5) =>
    new Poller({
      poll: () => finds(),
      everyMs: 10_000,
      overdueMs: 60_000,
      onNews: (each) => news.push(each),
      random: () => random,
      ...timers,
    })
  const lookAndShow = async (poller: Poller, ...looks: readonly Polled[]) => {
    for (const look of looks) {
      finds = async () => look
      await poller.refresh()
    }
    return poller.standing.map(({ kind, problems, sinceMs }) => [kind, ...problems, sinceMs])
  }

  it('never polls at once because its interval is longer than a timer can be', async () => {
    let polls = 0
    const poll = async () => {
      polls++
      return clean
    }
    await using poller = new Poller({
      poll,
      everyMs: 2 ** 31 - 1,
      overdueMs: 0,
      onNews: () => {},
      random: () => 1,
    })
    poller.start()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(polls).to.equal(0)
  })

  const rows: readonly {
    readonly name: string
    readonly looks: readonly Polled[]
    readonly standing: readonly (readonly unknown[])[]
    readonly told: readonly PollNews['kind'][]
  }[] = [
    { name: 'says nothing of what is well', looks: [clean, unchanged], standing: [], told: [] },
    {
      name: 'forgets a fault when the next look succeeds',
      looks: [failing, unchanged],
      standing: [],
      told: ['failed', 'recovered'],
    },
    {
      name: 'counts each look that fails',
      looks: [failing, failing],
      standing: [['failed', 'EMFILE', 1000]],
      told: ['failed', 'failed'],
    },
    {
      name: 'keeps what was refused until the content changes, and tells of it once',
      looks: [bad, unchanged, bad],
      standing: [['refused', 'bad', 1000]],
      told: ['refused'],
    },
    {
      name: 'forgets no refusal over a fault, nor takes one for the other',
      looks: [bad, failing, unchanged],
      standing: [['refused', 'bad', 1000]],
      told: ['refused', 'failed', 'recovered'],
    },
    {
      name: 'shows both when both stand',
      looks: [bad, failing],
      standing: [
        ['failed', 'EMFILE', 1000],
        ['refused', 'bad', 1000],
      ],
      told: ['refused', 'failed'],
    },
    {
      name: 'forgets a refusal when the content is good',
      looks: [bad, clean],
      standing: [],
      told: ['refused'],
    },
    {
      name: 'tells of a mistake that is made again',
      looks: [bad, clean, bad],
      standing: [['refused', 'bad', 1000]],
      told: ['refused', 'refused'],
    },
    {
      name: 'tells nothing of a problem less',
      looks: [{ faults: [], refusals: ['bad', 'worse'] }, bad],
      standing: [['refused', 'bad', 1000]],
      told: ['refused'],
    },
  ]
  for (const { name, looks, standing, told } of rows) {
    it(name, async () => {
      expect(await lookAndShow(open(), ...looks)).to.deep.equal(standing)
      expect(news.map(({ kind }) => kind)).to.deep.equal(told)
    })
  }

  it('says since when a look fails, however the reasons change, and which look is the first and has news', async () => {
    const poller = open()
    await lookAndShow(poller, failing)
    timers.advance(5000)
    expect(await lookAndShow(poller, failing, { ...failing, faults: ['EIO'] })).to.deep.equal([
      ['failed', 'EIO', 1000],
    ])
    expect(news.map((each) => each.kind === 'failed' && [each.isFirst, each.isNew])).to.deep.equal([
      [true, true],
      [false, false],
      [false, true],
    ])
    timers.advance(5000)
    expect(await lookAndShow(poller, clean, failing)).to.deep.equal([['failed', 'EMFILE', 11_000]])
  })

  it('takes what a look throws for a fault, and looks again', async () => {
    const poller = open()
    finds = () => Promise.reject(new RangeError('broken', { cause: new Error('deep below') }))
    await poller.refresh()
    expect(poller.problems).to.deep.equal(['broken: deep below'])
    finds = () => {
      throw new RangeError('at once')
    }
    await poller.refresh()
    expect(poller.problems).to.deep.equal(['at once'])
    expect(await lookAndShow(poller, clean)).to.deep.equal([])
  })

  it('looks at intervals that begin when the look before has ended, each varied by a tenth', async () => {
    for (const [random, ms] of [
      [0, 9000],
      [0.5, 10_000],
      [1, 11_000],
    ] as const) {
      const poller = open(random)
      poller.start()
      expect(timers.waits()).to.deep.equal([ms])
      const look = pending()
      finds = () => look.promise
      timers.advance(ms)
      await inTurns()
      // Its limit alone, and no further look.
      expect(timers.waits()).to.deep.equal([60_000])
      look.resolve(clean)
      await inTurns()
      expect(timers.waits()).to.deep.equal([ms])
      await poller[Symbol.asyncDispose]()
      expect(timers.waits()).to.deep.equal([])
    }
  })

  it('looks once at a time', async () => {
    const poller = open()
    const [first, second] = [pending(), pending()]
    const looks = [first, second]
    let begun = 0
    finds = () => {
      begun++
      return looks.shift()?.promise ?? Promise.resolve(clean)
    }
    const all = [poller.refresh(), poller.refresh()]
    await inTurns()
    expect(begun).to.equal(1)
    first.resolve(bad)
    await all[0]
    await inTurns()
    expect([begun, poller.problems]).to.deep.equal([2, ['bad']])
    second.resolve(clean)
    await all[1]
    expect(poller.problems).to.deep.equal([])
  })

  it('takes a look that hangs for a fault, until it ends', async () => {
    const poller = open()
    const look = pending()
    finds = () => look.promise
    const done = poller.refresh()
    await inTurns()
    timers.advance(60_000)
    expect(poller.problems.join()).to.match(/not ended within 60 s/)
    look.resolve(clean)
    await done
    expect(poller.problems).to.deep.equal([])
    expect(news.map(({ kind }) => kind)).to.deep.equal(['failed', 'recovered'])
  })

  it('takes its end for no fault, and looks no more', async () => {
    const poller = open()
    const look = pending()
    finds = () => look.promise
    const done = poller.refresh()
    await inTurns()
    const closed = poller[Symbol.asyncDispose]()
    look.resolve(failing)
    await Promise.all([done, closed])
    finds = () => Promise.reject(new Error('looked'))
    await poller.refresh()
    poller.start()
    expect([poller.problems, news, timers.waits()]).to.deep.equal([[], [], []])
  })
})

/** A look that has not ended yet. */
function pending(): { readonly promise: Promise<Polled>; readonly resolve: (look: Polled) => void } {
  let resolve = (_look: Polled): void => {}
  const promise = new Promise<Polled>((resolvePromise) => {
    resolve = resolvePromise
  })
  return { promise, resolve }
}

/** Lets everything happen that waits for nothing else. */
function inTurns(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
