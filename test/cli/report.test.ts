import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import type { Config } from '../../src/config/config.ts'
import { parseCatalog } from '../../src/policy/catalog/catalog.ts'
import { uris } from '../support/hospital.ts'
import { chainNow, type RunningApp, startTestApp, tokenNow } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

const dayMs = 86_400_000
const heldByD = () => ({ 'actor-chain': chainNow() })
const heldByA = () => ({
  'actor-chain': chainNow({ aud: uris.agentA, act: undefined, par_hash: undefined }),
})

describe('cli/report', () => {
  let audit: string
  let clean: string

  before(async () => {
    audit = await observe(async (app) => {
      await app.ask({
        method: 'POST',
        path: '/tasks',
        destinationAddress: '10.96.0.2:8080',
        peer: uris.agentA,
        headers: heldByA(),
      })
      await app.ask({ headers: heldByD() })
      for (let call = 0; call < 3; call++) await app.ask({})
      await app.ask({ path: '/patients/42', destinationAddress: '10.96.0.11:8080', headers: heldByD() })
      await app.ask({
        method: 'POST',
        path: '/tasks',
        destinationAddress: '10.96.0.3:8080',
        headers: heldByD(),
      })
      await app.ask({ path: '/coverage/42/history', headers: heldByD() })
      const orders = { destinationAddress: '10.96.0.77:80', host: 'orders.shop.svc.cluster.local' }
      await app.ask({ ...orders, path: '/orders/17', headers: heldByD() })
      await app.ask({ peer: uris.gateway, headers: { authorization: `Bearer ${tokenNow()}` } })
    })
    clean = await observe(async (app) => {
      await app.ask({ headers: heldByD() })
    })
  })

  it('tells what would be denied, who does not forward, and drafts what is missing', async () => {
    const { code, out, err } = await run(['report', audit])
    expect([code, err]).to.deep.equal([1, ''])
    for (const part of [
      '10 decisions',
      '8 would be denied',
      'chain_missing: 4',
      `3  ${uris.agentD} -> insurance`,
      'DOES NOT FORWARD',
      '- name: orders',
      "match: 'GET /orders/{orderId}'",
      'GET /coverage/{coverageId}/history',
      '// clinic-team/records-agent.cedar',
      `principal == Agent::"${uris.agentD}"`,
      'records-team/patient-records.cedar#clinicians-only',
    ]) {
      expect(out).to.include(part)
    }
  })

  it('prints the same for scripts, the draft as a file that parses', async () => {
    const { code, out } = await run(['report', audit, '--json'])
    const { decisions, wouldBeDenied, gaps, policies, servicesYaml } = JSON.parse(out)
    expect([code, decisions.count, wouldBeDenied]).to.deep.equal([1, 10, 8])
    expect(gaps.map((gap: { kind: string }) => gap.kind)).to.deep.equal(['drops', 'no-entry'])
    expect(policies.map((drafts: { file: string }) => drafts.file)).to.deep.equal([
      'clinic-team/records-agent.cedar',
    ])
    const catalog = parseCatalog(servicesYaml)
    expect('byName' in catalog ? [...catalog.byName.keys()] : catalog).to.deep.equal(['orders'])
  })

  it('ends with 0 when nothing would be denied', async () => {
    const { code, out } = await run(['report', clean])
    expect(code).to.equal(0)
    expect(out).to.include('nothing would be denied')
  })

  it('reads the logs of several replicas as one', async () => {
    const { out } = await run(['report', audit, clean, '--json'])
    expect(JSON.parse(out).decisions.count).to.equal(11)
  })

  it('reads standard input as it comes', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'report', '-', '--json'])
    child.stdin.end(await logOf(audit))
    const [out] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect([child.exitCode, JSON.parse(out).wouldBeDenied]).to.deep.equal([1, 8])
  })

  it('passes over what was decided before `--since`', async () => {
    const later = Date.now() + 2 * dayMs
    const { out } = await run(['report', audit, '--since', '3d', '--json'], '', later)
    expect(JSON.parse(out).decisions.count).to.equal(10)
    const { code, out: none } = await run(['report', audit, '--since', '1d'], '', later)
    expect(code).to.equal(1)
    expect(none).to.include('no decisions')
    const at = ['--since', new Date(later).toISOString()]
    expect((await run(['report', audit, ...at])).out).to.include('no decisions')
  })

  it('counts what was denied in earnest when asked for', async () => {
    const directory = temporaryDirectory()
    await using app = await startTestApp(directory)
    await app.ask({})
    const enforced = join(directory, 'audit')
    expect((await run(['report', enforced])).out).to.include('1 were really denied')
    expect(await run(['report', enforced])).to.include({ code: 0 })
    expect(await run(['report', enforced, '--denied'])).to.include({ code: 1 })
  })

  it('does not say that all is well when it could not read everything', async () => {
    const { code, err } = await run(['report', clean, join(clean, 'absent')])
    expect(code).to.equal(1)
    expect(err).to.include('absent')
    const spoiled = temporaryDirectory()
    await writeFile(join(spoiled, 'a.ndjson'), await logOf(clean))
    await appendFile(join(spoiled, 'a.ndjson'), 'x\n'.repeat(9))
    const ended = await run(['report', spoiled])
    expect(ended.code).to.equal(1)
    expect(ended.err).to.include('9 lines')
  })

  it('takes what a killed writer left of its last line for nothing', async () => {
    const torn = temporaryDirectory()
    await writeFile(join(torn, 'a.ndjson'), `${await logOf(clean)}{"version":1,"ki`)
    expect(await run(['report', torn])).to.include({ code: 0, err: '' })
  })

  it('groups drafts by service alone where the revision was not kept', async () => {
    const alone = temporaryDirectory()
    await writeFile(join(alone, 'a.ndjson'), await logOf(audit))
    expect((await run(['report', alone])).out).to.include('// OWNER/records-agent.cedar')
  })

  it('prints what one can read of many callers, and leaves the rest to scripts', async () => {
    const many = temporaryDirectory()
    const line = (await logOf(audit)).split('\n').find((each) => each.includes('policy_denied')) ?? ''
    const lines = Array.from({ length: 30 }, (_, index) => line.replaceAll('agent-d', `agent-d${index}`))
    await writeFile(join(many, 'a.ndjson'), `${lines.join('\n')}\n`)
    const { out } = await run(['report', many])
    expect(out).to.include('and 10 less frequent ones').and.include('policy_denied: 30')
    expect(JSON.parse((await run(['report', many, '--json'])).out).denials).to.have.length(30)
  })

  it('lets no record write to the terminal', async () => {
    const spoiled = temporaryDirectory()
    const line = (await logOf(audit)).split('\n').find((each) => each.includes('service_unknown')) ?? ''
    await writeFile(join(spoiled, 'a.ndjson'), `${line.replaceAll('orders', 'x\\u001b[2J\\u202e\\n')}\n`)
    const { out } = await run(['report', spoiled])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not pass
    expect(out).not.to.match(/[\u001b\u202e]/)
  })

  it('ends with 2 for a `--since` that is no time', async () => {
    for (const since of ['yesterday', '7', '-1d', '2027-99-99'])
      expect(await run(['report', audit, `--since=${since}`])).to.include({ code: 2, out: '' })
  })

  async function observe(play: (app: RunningApp) => Promise<void>): Promise<string> {
    const directory = temporaryDirectory()
    await mkdir(join(directory, 'audit'))
    const overlay = (config: Config): Config => {
      return { ...config, observe: { untilMs: Date.now() + dayMs, services: undefined } }
    }
    await using app = await startTestApp(directory, overlay)
    await play(app)
    return join(directory, 'audit')
  }

  async function logOf(directory: string): Promise<string> {
    const names = (await readdir(directory)).filter((name) => name.endsWith('.ndjson'))
    return (await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')))).join('')
  }
})
