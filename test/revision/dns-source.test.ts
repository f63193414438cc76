import { expect } from 'chai'
import type { Resolved } from '../../src/revision/addresses.ts'
import { openDns } from '../../src/revision/dns-source.ts'
import { type DnsServer, startDnsServer } from '../support/dns-server.ts'

describe('revision/dns-source', () => {
  let server: DnsServer
  beforeEach(async () => {
    server = await startDnsServer()
  })
  afterEach(() => server[Symbol.asyncDispose]())

  async function open(...names: readonly string[]) {
    const generations: Resolved[] = []
    const refused: string[] = []
    const clock = { nowMs: 0 }
    const source = await openDns({
      names: () => names,
      onChange: (resolved) => generations.push(resolved),
      report: (event) => event.kind === 'source_refused' && refused.push(...event.problems),
      pollMs: 3_600_000,
      nowMs: () => clock.nowMs,
      servers: [`127.0.0.1:${server.port}`],
      timeoutMs: 100,
    })
    const current = () => Object.fromEntries(generations.at(-1) ?? new Map())
    return { source, clock, refused, current, generations: () => generations.length }
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
    expect(source.problems).to.have.length(1)
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
    const { source, current, refused } = await open('slow.svc', 'records.svc')
    expect(current()).to.deep.equal({ 'records.svc': ['10.0.0.1'] })
    expect(refused.join()).to.match(/`slow\.svc`/)
    await source[Symbol.asyncDispose]()
  })
})
