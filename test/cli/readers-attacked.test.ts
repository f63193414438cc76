import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { copyOf } from '../support/attacked-logs.ts'
import { chainNow, startTestApp } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'
import { segmentsOf, writeLog } from '../support/written-log.ts'

/** A plant in the audit directory: `line` says allow where the decision was a denial. */
const attacks: readonly {
  readonly name: string
  readonly put: (audit: string, line: string) => void | Promise<void>
}[] = [
  { name: 'a file', put: (audit, line) => writeFileSync(join(audit, 'zz.ndjson'), line) },
  {
    name: 'an unsigned log',
    put: (audit, line) => writeFileSync(join(audit, 'zz-1999999999999-000000.ndjson'), line),
  },
  {
    name: 'a line behind the end of the log',
    put: (audit, line) => appendFileSync(segmentsOf(audit).at(-1) ?? '', line),
  },
  {
    name: 'a line without an end',
    put: (audit, line) => appendFileSync(segmentsOf(audit).at(-1) ?? '', line.trimEnd()),
  },
  {
    name: 'a folder of a worker, signed by another key',
    async put(audit, line) {
      const folder = join(audit, 'worker-3')
      await writeLog(folder, [])
      appendFileSync(segmentsOf(folder)[0] ?? '', line)
    },
  },
  {
    name: 'a folder of a worker without a key',
    put(audit, line) {
      mkdirSync(join(audit, 'worker-3'))
      writeFileSync(join(audit, 'worker-3', 'x-1-000000.ndjson'), line)
    },
  },
]

describe('commands that read an audit directory into which somebody has put a record', () => {
  let audit: string
  let id: string
  let line: string
  let commands: readonly (readonly string[])[]
  before(async () => {
    const directory = temporaryDirectory()
    audit = join(directory, 'audit')
    {
      await using app = await startTestApp(directory)
      const headers = { 'actor-chain': chainNow() }
      await app.ask({ path: '/patients/p-17', destinationAddress: '10.96.0.11:8080', headers })
      await app.ask({ headers })
    }
    const lines = readFileSync(segmentsOf(audit)[0] ?? '', 'utf8').split('\n')
    const denied = lines.find((each) => each.includes('"policy_denied"')) ?? ''
    const { code: _code, reason: _reason, deniedBy: _by, ...record } = JSON.parse(denied)
    id = record.decisionId
    line = `${JSON.stringify({ ...record, outcome: 'allow', deniedBy: [] })}\n`
    commands = [
      ['why', id, '--audit', '.'],
      ['audit', 'find', '.', '--json'],
      ['audit', 'show', record.txn, '.'],
      ['audit', 'show', record.txn, '.', '--json'],
      ['audit', 'prove', id, '.'],
      ['report', '.', '--denied'],
      ['policy', 'diff', record.policyRevision, 'policies', '--audit', '.'],
      ['policy', 'explain', id, '--audit', '.'],
    ]
  })

  for (const { name, put } of attacks) {
    it(`print the same as before, when it was ${name}`, async () => {
      const attacked = copyOf(audit)
      await put(attacked, line)
      for (const command of commands) {
        const at = (place: string) => command.map((word) => (word === '.' ? place : word))
        const [before, after] = [await run(at(audit)), await run(at(attacked))]
        expect(before.out, command.join(' ')).to.not.equal('')
        expect(after.out, command.join(' ')).to.equal(before.out)
      }
      expect((await run(['audit', 'verify', attacked])).code).to.equal(1)
    })
  }

  it('read at their word only files that lie among no logs', async () => {
    const elsewhere = join(temporaryDirectory(), 'zz.ndjson')
    writeFileSync(elsewhere, line)
    const claimed = await run(['audit', 'find', elsewhere, '--json'])
    expect([claimed.code, JSON.parse(claimed.out).outcome]).to.deep.equal([0, 'allow'])
    const attacked = copyOf(audit)
    copyFileSync(elsewhere, join(attacked, 'zz.ndjson'))
    const named = await run(['audit', 'find', join(attacked, 'zz.ndjson'), '--json'])
    expect([named.code, named.out]).to.deep.equal([1, ''])
    expect(named.err).to.include('to read it at its word, move it to another directory')
  })

  it('prefer what is signed to what is only claimed', async () => {
    const elsewhere = join(temporaryDirectory(), 'zz.ndjson')
    writeFileSync(elsewhere, line)
    const { txn } = JSON.parse(line)
    const { out } = await run(['audit', 'show', txn, audit, elsewhere])
    expect(out).to.include('deny policy_denied').and.not.include('unproven')
    writeFileSync(elsewhere, line.replace(id, 'another'))
    expect((await run(['audit', 'show', txn, audit, elsewhere])).out).to.include('unproven')
  })
})
