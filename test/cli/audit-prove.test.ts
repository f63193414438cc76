import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { repeatedParts } from '../support/decision.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'
import { decisionIds, writeLog } from '../support/written-log.ts'

describe('cli/audit-prove', () => {
  let directory: string
  let key: string
  let proof: string
  before(async () => {
    directory = join(temporaryDirectory(), 'audit')
    await writeLog(directory, decisionIds(25), { sealEvery: 5 }, repeatedParts)
    key = join(temporaryDirectory(), 'log-key.pub')
    copyFileSync(join(directory, 'log-key.pub'), key)
    proof = join(temporaryDirectory(), 'decision.tlog-proof')
    const { code, out } = await run(['audit', 'prove', 'd-0007', directory])
    expect(code).to.equal(0)
    writeFileSync(proof, `${out}\n`)
  })

  it('prints a proof that the public key alone confirms, from a file or standard input', async () => {
    const { code, out } = await run(['audit', 'check', proof, '--key', key])
    const record = JSON.parse(out.split('\n')[0] ?? '')
    expect([code, record.decisionId, record.kind]).to.deep.equal([0, 'd-0007', 'decision'])
    const read = await run(['audit', 'check', '-', '--key', key], readFileSync(proof, 'utf8'))
    expect(read).to.deep.equal({ code, out, err: '' })
  })

  it('confirms no proof that was changed, and none by another key', async () => {
    const changed = join(temporaryDirectory(), 'changed')
    writeFileSync(changed, readFileSync(proof, 'utf8').replace(/index \d+/, 'index 1'))
    expect((await run(['audit', 'check', changed, '--key', key])).code).to.equal(1)
    const other = join(temporaryDirectory(), 'audit')
    await writeLog(other, [])
    const argv = ['audit', 'check', proof, '--key', join(other, 'log-key.pub')]
    expect((await run(argv)).code).to.equal(1)
  })

  it('says what is not there', async () => {
    expect((await run(['audit', 'prove', 'nobody', directory])).code).to.equal(1)
    expect((await run(['audit', 'check', '/nowhere', '--key', key])).code).to.equal(2)
    expect((await run(['audit', 'check', proof, '--key', '/nowhere'])).code).to.equal(2)
  })
})
