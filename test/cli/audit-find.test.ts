import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'
import { decisionIds, segmentsOf, writeLog } from '../support/written-log.ts'

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

  for (const filter of [
    ['--user', 'chief'],
    ['--agent', 'agent-x'],
    ['--outcome', 'allow'],
    ['--since', '1h'],
    ['--until', '2001-01-01'],
  ]) {
    it(`ends with 1 when nothing matches ${filter.join(' ')}`, async () => {
      expect(await run(['audit', 'find', directory, ...filter])).to.deep.equal({ code: 1, out: '', err: '' })
    })
  }

  for (const wrong of [
    ['--since', 'yesterday'],
    ['--until', '1'],
    ['--limit', '0'],
  ]) {
    it(`refuses ${wrong.join(' ')}`, async () => {
      expect((await run(['audit', 'find', directory, ...wrong])).code).to.equal(2)
    })
  }

  it('says that a line cannot be read, and finds the others', async () => {
    const damaged = join(temporaryDirectory(), 'audit')
    await writeLog(damaged, ['d-1'])
    appendFileSync(segmentsOf(damaged)[0] ?? '', 'hello\nhello\n')
    const { code, out, err } = await run(['audit', 'find', damaged])
    expect([code, out.includes('d-1')]).to.deep.equal([1, true])
    expect(err.split('\n')).to.have.length(2)
  })
})
