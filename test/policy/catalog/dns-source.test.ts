import { expect } from 'chai'
import type { Resolved } from '../../../src/policy/catalog/addresses.ts'
import { openDns } from '../../../src/policy/catalog/dns-source.ts'
import { type DnsAnswer, type DnsServer, startDnsServer } from '../../support/dns-server.ts'

describe('policy/catalog/dns-source', () => {
  let server: DnsServer
  beforeEach(async () => {
    server = await startDnsServer()
  })
  afterEach(() => server[Symbol.asyncDispose]())

  async function open(...names: readonly string[]) {
    const generations: Resolved[] = []
    const refused: string[] = []
    const failed: string[] = []
    const clock = { nowMs: 0 }
    const source = await openDns({
      names: () => names,
      onChange: (resolved) => generations.push(resolved),
      report: (event) => {
        if (event.kind === 'source_refused') refused.push(...event.problems)
        if (event.kind === 'source_failed') failed.push(...event.problems)
      },
      pollMs: 3_600_000,
      nowMs: () => clock.nowMs,
      servers: [`127.0.0.1:${server.port}`],
      timeoutMs: 100,
    })
    const current = () => Object.fromEntries(generations.at(-1) ?? new Map())
    return { source, clock, refused, failed, current, generations: () => generations.length }
  }

  it('resolves names, and follows a VIP that moves', async () => {
    server.answers.set('records.svc', ['10.0.0.1'])
    const { source, current, generations } = await open('records.svc')
    expect(current()).to.deep.equal({ 'records.svc': ['10.0.0.1'] })
    server.answers.set('records.svc', ['10.0.0.2'])
    await source.refresh()
    await source.refresh()
    expect(current()).to.deep.equal({ 'records.svc': ['10.0.0.2'] })
    expect(generations()).to.equal(2)
    await source[Symbol.asyncDispose]()
  })

  it('keeps a name that is gone for a minute, and not longer', async () => {
    server.answers.set('records.svc', ['10.0.0.1'])
    const { source, clock, current } = await open('records.svc')
    server.answers.set('records.svc', 'nxdomain')
    clock.nowMs = 59_999
    await source.refresh()
    expect(current()).to.deep.equal({ 'records.svc': ['10.0.0.1'] })
    clock.nowMs = 60_000
    await source.refresh()
    expect(current()).to.deep.equal({})
    await source[Symbol.asyncDispose]()
  })

  it('refuses a headless name, at once and whatever it was before', async () => {
    server.answers.set('records.svc', ['10.0.0.1'])
    const { source, current, refused } = await open('records.svc')
    server.answers.set('records.svc', ['10.1.0.1', '10.1.0.2'])
    await source.refresh()
    expect(current()).to.deep.equal({})
    expect(refused).to.have.length(1)
    expect(source.poller.problems).to.have.length(1)
    await source[Symbol.asyncDispose]()
  })

  it('asks again by TCP when an answer is truncated', async () => {
    server.answers.set('records.svc', { byTcp: ['10.0.0.1'] })
    const { source, current } = await open('records.svc')
    expect(current()).to.deep.equal({ 'records.svc': ['10.0.0.1'] })
    await source[Symbol.asyncDispose]()
  })

  it('is not held up for ever by a server that does not answer, nor are other names lost', async () => {
    server.answers.set('slow.svc', 'silence')
    server.answers.set('records.svc', ['10.0.0.1'])
    const { source, current, refused, failed } = await open('slow.svc', 'records.svc')
    expect(current()).to.deep.equal({ 'records.svc': ['10.0.0.1'] })
    expect([refused, failed.join()]).to.deep.equal([
      [],
      '`slow.svc` cannot be looked up: A ETIMEOUT, AAAA ETIMEOUT',
    ])
    await source[Symbol.asyncDispose]()
  })

  const both = ['10.0.0.1', 'fd00:0:0:0:0:0:0:1']
  const shown = ['10.0.0.1', 'fd00::1']
  const v4 = { A: ['10.0.0.1'], AAAA: [] }

  describe('a server that says nothing about a name', () => {
    for (const fault of ['servfail', 'refused', 'notimp', 'formerr', 'silence'] as const) {
      it(`keeps the last answer for as long as it takes: ${fault}`, async () => {
        server.answers.set('records.svc', v4)
        const { source, clock, current, refused, failed } = await open('records.svc')
        server.answers.set('records.svc', fault)
        for (clock.nowMs of [10_000, 3_600_000]) await source.refresh()
        expect(current()).to.deep.equal({ 'records.svc': ['10.0.0.1'] })
        expect([refused, failed.length]).to.deep.equal([[], 2])
        expect(source.poller.standing).to.have.nested.property('[0].sinceMs', 10_000)
        server.answers.set('records.svc', { A: ['10.0.0.2'], AAAA: [] })
        await source.refresh()
        expect(current()).to.deep.equal({ 'records.svc': ['10.0.0.2'] })
        expect(source.poller.standing).to.deep.equal([])
        await source[Symbol.asyncDispose]()
      })
    }

    it('gives a name that is gone after an outage its minute', async () => {
      server.answers.set('records.svc', v4)
      const { source, clock, current } = await open('records.svc')
      const says = async (answer: 'servfail' | 'nxdomain', nowMs: number) => {
        server.answers.set('records.svc', answer)
        clock.nowMs = nowMs
        await source.refresh()
        return current()
      }
      await says('servfail', 3_600_000)
      expect(await says('nxdomain', 3_610_000)).to.deep.equal({ 'records.svc': ['10.0.0.1'] })
      expect(await says('nxdomain', 3_660_000)).to.deep.equal({})
      await source[Symbol.asyncDispose]()
    })

    it('knows nothing of a name that it was never told of', async () => {
      server.answers.set('records.svc', 'servfail')
      const { source, current, generations } = await open('records.svc')
      expect([current(), generations(), source.poller.problems.length]).to.deep.equal([{}, 0, 1])
      await source[Symbol.asyncDispose]()
    })
  })

  describe('one family that fails while the other answers', () => {
    const rows: readonly {
      readonly name: string
      readonly later: DnsAnswer
      readonly want: readonly string[]
      readonly kinds: readonly string[]
    }[] = [
      {
        name: 'keeps the last addresses of the one',
        later: { A: ['10.0.0.1'], AAAA: 'servfail' },
        want: shown,
        kinds: ['failed'],
      },
      {
        name: 'takes what the other says now',
        later: { A: ['10.0.0.2'], AAAA: 'silence' },
        want: ['10.0.0.2', 'fd00::1'],
        kinds: ['failed'],
      },
      {
        name: 'the same the other way round',
        later: { A: 'servfail', AAAA: ['fd00:0:0:0:0:0:0:2'] },
        want: ['10.0.0.1', 'fd00::2'],
        kinds: ['failed'],
      },
      {
        name: 'keeps both when the other has none, which may pass',
        later: { A: [], AAAA: 'servfail' },
        want: shown,
        kinds: ['failed'],
      },
      {
        name: 'refuses what is headless all the same',
        later: { A: ['10.0.0.1', '10.0.0.2'], AAAA: 'servfail' },
        want: [],
        kinds: ['failed', 'refused'],
      },
      {
        name: 'drops one that is said to be none',
        later: { A: ['10.0.0.1'], AAAA: [] },
        want: ['10.0.0.1'],
        kinds: [],
      },
    ]
    for (const { name, later, want, kinds } of rows) {
      it(name, async () => {
        server.answers.set('records.svc', { A: [both[0] ?? ''], AAAA: [both[1] ?? ''] })
        const { source, current } = await open('records.svc')
        expect(current()).to.deep.equal({ 'records.svc': shown })
        server.answers.set('records.svc', later)
        await source.refresh()
        expect(current()).to.deep.equal(want.length === 0 ? {} : { 'records.svc': want })
        expect(source.poller.standing.map(({ kind }) => kind)).to.deep.equal(kinds)
        await source[Symbol.asyncDispose]()
      })
    }

    it('does not keep for good what the one that answers no longer has', async () => {
      server.answers.set('records.svc', v4)
      const { source, clock, current } = await open('records.svc')
      server.answers.set('records.svc', { A: [], AAAA: 'servfail' })
      for (clock.nowMs of [50_000, 60_000]) await source.refresh()
      expect(current()).to.deep.equal({})
      await source[Symbol.asyncDispose]()
    })
  })
})
