import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { formatRecord } from '../../src/audit/format/record.ts'
import { toRecord } from '../../src/audit/format/to-record.ts'
import { storeRevision } from '../../src/audit/write/revision-store.ts'
import { readPolicyDirectory } from '../../src/policy/source/directory-source.ts'
import { deniedParts } from '../support/decision.ts'
import { uris } from '../support/hospital.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

describe('cli/policy-diff', () => {
  let open: string
  let audit: string
  before(async () => {
    open = temporaryDirectory()
    audit = temporaryDirectory()
    await cp('policies', open, { recursive: true })
    const file = join(open, 'records-team/patient-records.cedar')
    const text = await readFile(file, 'utf8')
    const all =
      '@id("all") @blanket("test") permit (principal, action, resource in Service::"patient-records");\n'
    await writeFile(file, text.slice(0, text.indexOf('// Whatever')) + all)
    await writeFile(join(audit, 'a.ndjson'), formatRecord(toRecord(deniedParts())))
  })

  it('ends with 0 when nothing changes', async () => {
    const { code, out } = await run(['policy', 'diff', 'policies', 'policies', '--audit', audit])
    expect(code).to.equal(0)
    expect(out).to.match(/^nothing changes: 1 record and \d\d tests judged$/)
  })

  it('lists what opens first, with counts and an example', async () => {
    const { code, out } = await run(['policy', 'diff', 'policies', open, '--audit', audit])
    expect(code).to.equal(1)
    expect(out).to.match(/^OPENS {2}patient-records read-record for spiffe:.*: 1 record, 1 test$/m)
    expect(out)
      .to.include(`- policy_denied by caller, delegator ${uris.agentA}, subject`)
      .and.to.include('such as ')
    expect(await run(['policy', 'diff', open, 'policies'])).to.include({ code: 1 })
  })

  it('takes revisions that were kept, and prints for scripts', async () => {
    const ids = await Promise.all(
      ['policies', open].map(async (directory) => {
        const source = await readPolicyDirectory(directory)
        if (!('files' in source)) throw new TypeError(directory)
        await storeRevision(audit, source.id, source.files)
        return source.id
      }),
    )
    const { code, out } = await run(['policy', 'diff', ...ids, '--audit', audit, '--json'])
    const { revisions, changes, judged } = JSON.parse(out)
    expect([code, revisions.a, revisions.b]).to.deep.equal([1, ...ids])
    expect(judged).to.deep.equal({ records: 1, tests: 0 })
    expect(changes[0]).to.deep.include({ service: 'patient-records', records: 1 })
  })

  it('ends with 1 when a side does not load, or a record cannot be read', async () => {
    expect((await run(['policy', 'diff', 'policies', 'docs'])).err).to.include('`docs`')
    await writeFile(join(audit, 'b.ndjson'), '{}\n')
    expect(await run(['policy', 'diff', 'policies', 'policies', '--audit', audit])).to.include({ code: 1 })
  })
})
