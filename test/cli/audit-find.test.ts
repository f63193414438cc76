import { appendFileSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'
import { decisionIds, segmentsOf, writeKilledLog, writeLog } from '../support/written-log.ts'

describe('cli/audit-find', () => {
  let directory: string
  const ids = decisionIds(25)
  before(async () => {
    directory = join(temporaryDirectory(), 'audit')
    await writeLog(directory, ids, { maxSegmentBytes: 20_000 })
  })

  it('prints a line a decision, in the order of the log', async () => {
    const { code, out, err } = await run([
      'audit',
      'find',
      directory,
      '--user',
      'clerk',
      '--code',
      'policy_denied',
    ])
    expect([code, err]).to.deep.equal([0, ''])
    const lines = out.split('\n')
    expect(lines.map((line) => line.split('  ').at(-1))).to.deep.equal(ids)
    expect(lines[0]).to.include('agent-d -> patient-records').and.to.include('hospital/clerk')
  })

  it('prints records for scripts, and stops when it has enough', async () => {
    const { out } = await run(['audit', 'find', directory, '--json', '--limit', '2'])
    expect(out.split('\n').map((line) => JSON.parse(line).decisionId)).to.deep.equal(ids.slice(0, 2))
  })

  const nothing: readonly (readonly [filter: readonly string[], says: string])[] = [
    [['--user', 'clark'], 'none found among 25 records; none names the user `clark`; did you mean `clerk`?'],
    [['--user', 'chief'], 'none found among 25 records; none names the user `chief`'],
    [
      ['--agent', 'agent-x'],
      'none found among 25 records; none names the agent `agent-x`; did you mean `agent-d`?',
    ],
    [
      ['--service', 'patient-record'],
      'none found among 25 records; none names the service `patient-record`; did you mean `patient-records`?',
    ],
    [['--policy', 'nobody.cedar'], 'none found among 25 records; none names the policy `nobody.cedar`'],
    [['--outcome', 'allow'], 'none found among 25 records'],
    [['--since', '1h'], 'none found among 25 records'],
    [['--until', '2001-01-01'], 'none found among 25 records'],
  ]
  for (const [filter, says] of nothing) {
    it(`says why nothing matches ${filter.join(' ')}, and ends with 1`, async () => {
      const ended = await run(['audit', 'find', directory, ...filter])
      expect(ended).to.deep.equal({ code: 1, out: '', err: says })
    })
  }

  it('says that there is nothing to find', async () => {
    const ended = await run(['audit', 'find', temporaryDirectory()])
    expect(ended).to.deep.equal({ code: 1, out: '', err: 'none found: there is no record of a decision' })
  })

  for (const wrong of [
    ['--since', 'yesterday'],
    ['--until', '1'],
    ['--limit', '0'],
  ]) {
    it(`refuses ${wrong.join(' ')}`, async () => {
      expect((await run(['audit', 'find', directory, ...wrong])).code).to.equal(2)
    })
  }

  for (const [wrong, says] of [
    [['--outcome', 'denied'], '`--outcome`: no decision has `denied`; known here: allow, observed, deny'],
    [['--outcome', 'alow'], '`--outcome`: no decision has `alow`; did you mean `allow`?'],
    [['--code', 'policy_deny'], '`--code`: no decision has `policy_deny`; did you mean `policy_denied`?'],
  ] as const) {
    it(`refuses ${wrong.join(' ')}, which no record can have`, async () => {
      const ended = await run(['audit', 'find', directory, ...wrong])
      expect(ended).to.deep.equal({ code: 2, out: '', err: says })
    })
  }

  it('says which records are not signed yet', async () => {
    const killed = join(temporaryDirectory(), 'audit')
    await writeKilledLog(killed, ['d-1', 'd-2', 'd-3'], { sealEvery: 2 })
    const { code, out } = await run(['audit', 'find', killed])
    expect(code).to.equal(0)
    expect(out.split('\n').map((line) => line.endsWith('  not signed yet'))).to.deep.equal([
      false,
      false,
      true,
    ])
  })

  it('reads only what a key has signed that was kept elsewhere', async () => {
    const [key, other] = [join(temporaryDirectory(), 'a.pub'), join(temporaryDirectory(), 'b.pub')]
    copyFileSync(join(directory, 'log-key.pub'), key)
    const forged = join(temporaryDirectory(), 'audit')
    await writeLog(forged, ['forged'])
    copyFileSync(join(forged, 'log-key.pub'), other)
    expect((await run(['audit', 'find', directory, forged])).out).to.include('forged')
    const { code, out, err } = await run(['audit', 'find', directory, forged, '--key', key])
    expect([code, out.includes('forged'), out.split('\n').length]).to.deep.equal([1, false, ids.length])
    expect(err).to.include('signed by none of the given keys')
    const both = ['--key', key, '--key', other]
    expect((await run(['audit', 'find', directory, forged, ...both])).code).to.equal(0)
    expect((await run(['audit', 'find', directory, '--key', '/nowhere'])).code).to.equal(2)
  })

  it('says that a line cannot be read, and finds the others', async () => {
    const damaged = join(temporaryDirectory(), 'audit')
    await writeLog(damaged, ['d-1'])
    appendFileSync(segmentsOf(damaged)[0] ?? '', 'hello\nhello\n')
    const { code, out, err } = await run(['audit', 'find', damaged])
    expect([code, out.includes('d-1')]).to.deep.equal([1, true])
    expect(err).to.match(/-000000\.ndjson:6: was added after the log had ended; `audit verify` says more$/)
  })
})
