import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import type { Event } from '../../../src/base/model/event.ts'
import { createAcceptor } from '../../../src/envoy/acceptor.ts'
import { WorkerFailed, WorkerPool } from '../../../src/server/workers/worker-pool.ts'
import { noSharedKeys } from '../../support/no-keys.ts'

const nothing = async () => {}
const unstopped = new AbortController().signal

describe('server/workers/worker-pool', () => {
  // Each worker is a process, on a machine that may be busy.

  const start = (behaviours: string, events: Event[] = [], written: string[] = []) => {
    const program = {
      program: 'test/support/fake-worker.mjs',
      file: 'waywarden.yaml',
      text: behaviours,
      keys: noSharedKeys,
      writeOut: (lines: Uint8Array) => void written.push(String(lines)),
      writeError: () => {},
    }
    return new WorkerPool(behaviours.split(' ').length, program, (event) => events.push(event))
  }

  it('hands each connection to who has the fewest, of those that can decide', async () => {
    await using pool = start('reports reports cannotDecide')
    await pool.open(nothing, unstopped)
    expect((await askAtOnce(pool, 4)).toSorted()).to.deep.equal(['1', '1', '2', '2'])
  })

  it('hands them to who cannot decide while nobody can, for a refusal must be an answer', async () => {
    await using pool = start('reportsThatItCannotDecide reportsThatItCannotDecide')
    await pool.open(nothing, unstopped)
    expect((await askAtOnce(pool, 2)).toSorted()).to.deep.equal(['1', '2'])
  })

  it('hands them to who drains while nobody else is there, for clients have not heard of it yet', async () => {
    await using pool = start('drainsUntilAskedOnceMore')
    await pool.open(nothing, unstopped)
    const drained = pool.drain('SIGTERM', 30_000)
    expect(await askAtOnce(pool, 1)).to.deep.equal(['1'])
    await drained
  })

  it('leaves who drains already its time when all are to', async () => {
    await using pool = start('drainsUntilAskedOnceMore')
    await pool.open(nothing, unstopped)
    pool.slots[0]?.drain('it cannot decide')
    const drained = pool.drain('SIGTERM', 30_000)
    expect(await askAtOnce(pool, 1)).to.deep.equal(['1'])
    await drained
  })

  it('hands none to who is silent, while another can take them', async () => {
    await using pool = start('serves cannotDecide')
    await pool.open(nothing, unstopped)
    const [first] = pool.slots
    expect(await askAtOnce(pool, 2)).to.deep.equal(['1', '1'])
    // That it has closed them is the last that it says.
    while (first?.connections !== 0) await wait(5)
    for (let look = 0; look < 3; look++) first?.inspect()
    expect([first?.isOpen, first?.isReady, first?.isSilent]).to.deep.equal([true, false, true])
    expect(await askAtOnce(pool, 2)).to.deep.equal(['2', '2'])
    await first?.measure()
    expect([first?.isReady, first?.isSilent]).to.deep.equal([true, false])
  })

  it('hands them to who is silent rather than to nobody', async () => {
    await using pool = start('serves')
    await pool.open(nothing, unstopped)
    for (let look = 0; look < 3; look++) pool.slots[0]?.inspect()
    expect(await askAtOnce(pool, 1)).to.deep.equal(['1'])
  })

  it('says of each that it drops why', async () => {
    const events: Event[] = []
    await using pool = start('takesNothing', events)
    const sockets = Array.from({ length: 1002 }, () => new Socket())
    const give = (from: number, to: number) => {
      for (const socket of sockets.slice(from, to)) pool.assign(0, socket)
    }
    give(0, 1)
    await pool.open(nothing, unstopped)
    give(1, 1002)
    expect(sockets.flatMap(({ destroyed }, index) => (destroyed ? index : []))).to.deep.equal([0, 1001])
    expect(events.filter(({ kind }) => kind === 'connection_dropped')).to.deep.equal([
      { kind: 'connection_dropped', why: 'no_worker' },
      { kind: 'connection_dropped', why: 'backlog' },
    ])
  })

  it('fills a slot again, hands what was not taken to another, and says so', async () => {
    const events: Event[] = []
    await using pool = start('takesNothing serves', events)
    await pool.open(nothing, unstopped)
    const answers = askAtOnce(pool, 2)
    while (pool.slots[0]?.connections === 0) await wait(5)
    pool.slots[0]?.kill()
    expect(await answers).to.deep.equal(['2', '2'])
    while (!pool.slots.every(({ isOpen }) => isOpen)) await wait(5)
    expect(events.map(({ kind }) => kind)).to.deep.equal([
      'worker_opened',
      'worker_opened',
      'worker_ended',
      'worker_opened',
    ])
    expect(events[2]).to.deep.include({ worker: 1, how: 'SIGKILL', restartMs: 500 })
  })

  it('has each worker name the logs of all, and those of a process that takes a slot', async () => {
    const written: string[] = []
    await using pool = start('serves serves', [], written)
    await pool.open(nothing, unstopped)
    const logOf = (index: number) => `worker-${index + 1}/log-${pool.slots[index]?.pid}`
    const untilNamed = async () => {
      const lines = [0, 1].map((index) => `${index + 1} names ${logOf(0)},${logOf(1)}\n`)
      while (!lines.every((line) => written.join('').includes(line))) await wait(5)
    }
    await untilNamed()
    pool.slots[1]?.kill()
    await pool.slots[1]?.ended
    expect(pool.slots[1]?.log).to.equal(undefined)
    while (pool.slots[1]?.isOpen !== true) await wait(5)
    await untilNamed()
  })

  it('outlives that no file can be opened, and fills the slot once one can', async () => {
    const script = ['--import', 'tsx', 'test/support/short-of-files.ts']
    const limited = ['-c', 'ulimit -n 200; exec "$@"', 'sh', process.execPath, ...script]
    const events: Event[] = JSON.parse((await promisify(execFile)('sh', limited)).stdout)
    expect(events.map(({ kind }) => kind)).to.deep.equal(['worker_ended', 'worker_ended', 'worker_opened'])
    expect(events[1])
      .to.include({ worker: 1, restartMs: 1000 })
      .and.to.have.property('how')
      .that.includes('EMFILE')
  })

  for (const { name, behaviours, problems } of [
    { name: 'the first', behaviours: 'failsToStart serves', problems: [] },
    { name: 'another', behaviours: 'serves failsToStart', problems: [] },
    {
      name: 'one that could not say why',
      behaviours: 'isKilledAtStart serves',
      problems: ['worker 1 ended with SIGKILL before it could decide'],
    },
  ]) {
    it(`does not begin when ${name} cannot start`, async () => {
      await using pool = start(behaviours)
      const fault = await pool.open(nothing, unstopped).catch((cause: unknown) => cause)
      expect(fault).to.be.instanceOf(WorkerFailed).and.to.deep.include({ problems })
    })
  }

  it('accepts once the first can decide', async () => {
    await using pool = start('serves serves')
    const open: (readonly boolean[])[] = []
    await pool.open(async () => void open.push(pool.slots.map(({ isOpen }) => isOpen)), unstopped)
    expect(open).to.deep.equal([[true, false]])
  })

  for (const { name, behaviours, stopsWhen } of [
    { name: 'the first', behaviours: 'neverOpens serves', stopsWhen: 'it starts' },
    { name: 'another', behaviours: 'serves neverOpens', stopsWhen: 'it starts' },
    { name: 'the first has opened and before another', behaviours: 'serves serves', stopsWhen: 'between' },
  ]) {
    it(`ends when it is stopped while ${name} starts`, async () => {
      const stopping = new AbortController()
      await using pool = start(behaviours)
      const onFirst = async () => {
        if (stopsWhen === 'between') stopping.abort()
      }
      const opened = pool.open(onFirst, stopping.signal).catch((cause: unknown) => cause)
      const starting = pool.slots[behaviours.split(' ').indexOf('neverOpens')]
      while (starting !== undefined && starting.pid === undefined) await wait(5)
      stopping.abort()
      expect(await opened).to.equal(stopping.signal.reason)
      await pool[Symbol.asyncDispose]()
      expect(pool.slots.map(({ pid }) => pid)).to.deep.equal([undefined, undefined])
    })
  }

  it('ends with all of them, and fills no slot any more', async () => {
    const events: Event[] = []
    await using pool = start('serves serves', events)
    await pool.open(nothing, unstopped)
    await pool.drain('SIGTERM', 30_000)
    expect(pool.slots.map(({ isOpen, shown }) => [isOpen, shown])).to.deep.equal([
      [false, undefined],
      [false, undefined],
    ])
    expect(events.map(({ kind }) => kind)).to.deep.equal(['worker_opened', 'worker_opened'])
  })
})

/** Connects several times at once; the fake worker says its number. */
async function askAtOnce(pool: WorkerPool, count: number): Promise<readonly string[]> {
  await using acceptor = await createAcceptor({ address: '127.0.0.1', port: 0 }, (socket) =>
    pool.assign(0, socket),
  )
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(acceptor.port, '127.0.0.1')
      await once(socket, 'connect')
      return text(socket)
    }),
  )
}
