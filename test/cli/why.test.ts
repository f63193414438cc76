import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { uris } from '../support/hospital.ts'
import { chainNow, startTestApp } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'
import { writeKilledLog, writeLog } from '../support/written-log.ts'

describe('cli/why, by a revision that is named by a commit', () => {
  let audit: string
  let line: string
  let revision: string
  const again = async () => {
    const { code, out } = await run(['why', JSON.parse(line).decisionId, '--audit', audit, '--json'])
    const { policies, agrees } = JSON.parse(out)
    return { code, policies, agrees }
  }
  beforeEach(async () => {
    audit = temporaryDirectory()
    await cp('test/compat/v2/audit', audit, { recursive: true })
    const [segment = ''] = (await readdir(audit)).filter((name) => name.endsWith('.ndjson'))
    line = (await readFile(join(audit, segment), 'utf8')).split('\n')[0] ?? ''
    revision = join(audit, 'revisions', `${JSON.parse(line).policyRevision}.json`)
  })

  it('proves the kept policies by the digest in the record', async () => {
    expect(await again()).to.deep.equal({ code: 0, policies: 'proven', agrees: true })
  })

  it('judges nothing by policies that were changed, though they would decide the same', async () => {
    const kept = await readFile(revision, 'utf8')
    await writeFile(revision, kept.replace('permit', '// of old\\npermit'))
    expect(await again()).to.deep.equal({ code: 1, policies: 'changed', agrees: false })
    const id = JSON.parse(line).policyRevision
    const diff = await run(['policy', 'diff', id, 'policies', '--audit', audit])
    expect(diff).to.include({ code: 1, out: '' })
    expect(diff.err).to.include('the stored copy was changed')
    const explained = await run(['policy', 'explain', JSON.parse(line).decisionId, '--audit', audit])
    expect(explained).to.include({ code: 1, out: '' })
  })

  it('says that they are not proven when the record is older than digests', async () => {
    const { policyDigest: _later, ...old } = JSON.parse(line)
    await writeFile(join(audit, 'old.ndjson'), JSON.stringify({ ...old, decisionId: 'old' }))
    line = JSON.stringify({ decisionId: 'old' })
    expect(await again()).to.deep.equal({ code: 0, policies: 'unproven', agrees: true })
    expect((await run(['why', 'old', '--audit', audit])).out).to.include('no digest of the policies')
  })
})

describe('cli/why', () => {
  let audit: string
  let decisionId: string

  before(async () => {
    const directory = temporaryDirectory()
    audit = join(directory, 'audit')
    await using app = await startTestApp(directory)
    await app.ask({
      path: '/patients/p-17',
      destinationAddress: '10.96.0.11:8080',
      headers: { 'actor-chain': chainNow() },
    })
    await app.ask({ xfcc: '-' })
    decisionId = (await records()).find(({ code }) => code === 'policy_denied')?.decisionId ?? ''
  })

  it('tells who asked what on whose behalf, who refused by which policy, and judges it the same again', async () => {
    const { code, out } = await run(['why', decisionId, '--audit', audit])
    expect(code).to.equal(0)
    for (const part of [
      'policy_denied',
      uris.agentD,
      uris.agentA,
      'hospital/clerk',
      '/patients/p-17',
      'patient-records',
      'judged again: the same',
    ]) {
      expect(out).to.include(part)
    }
    expect(out).to.match(/\.cedar:\d+/)
  })

  it('prints record and second judgement for scripts', async () => {
    const { out } = await run(['why', decisionId, '--audit', audit, '--json'])
    const { record, again, agrees } = JSON.parse(out)
    expect([record.decisionId, again.code, agrees]).to.deep.equal([decisionId, 'policy_denied', true])
  })

  it('explains a decision that never came to the policies', async () => {
    const early = (await records()).find(({ code }) => code?.startsWith('peer_'))
    const { code, out } = await run(['why', early?.decisionId ?? '', '--audit', audit])
    expect(code).to.equal(0)
    expect(out).to.include('not judged again')
  })

  it('ends with 1 when the record was changed after the decision', async () => {
    const forgery = (await records()).find((record) => record.decisionId === decisionId)
    const line = JSON.stringify(forgery)
      .replaceAll(decisionId, 'forged')
      .replace('"policy_denied"', '"scope_missing"')
    // Where nothing is signed, a record is taken at its word.
    const elsewhere = temporaryDirectory()
    await cp(join(audit, 'revisions'), join(elsewhere, 'revisions'), { recursive: true })
    await writeFile(join(elsewhere, 'forged.ndjson'), `${line}\n`)
    const { code, out } = await run(['why', 'forged', '--audit', elsewhere])
    expect(code).to.equal(1)
    expect(out).to.include('NOT THE SAME').and.to.include('unproven')
  })

  it('finds no record in a file that is no segment of the log, and says that it lies there', async () => {
    const line = (await records()).find((record) => record.decisionId === decisionId)
    const forgery = JSON.stringify({ ...line, outcome: 'allow', code: undefined })
    await writeFile(join(audit, 'zz.ndjson'), `${forgery}\n`)
    const { code, out, err } = await run(['why', decisionId, '--audit', audit])
    await rm(join(audit, 'zz.ndjson'))
    expect([code, out.includes('answer     deny policy_denied')]).to.deep.equal([0, true])
    expect(err).to.include('zz.ndjson').and.to.include('is no segment of the logs here')
  })

  it('says by which key a record is signed, or that it is not yet', async () => {
    const key = join(audit, 'log-key.pub')
    expect((await run(['why', decisionId, '--audit', audit])).out).to.include('by the key beside the log')
    const { out } = await run(['why', decisionId, '--audit', audit, '--key', key])
    expect(out).to.match(/^evidence {3}signed, by the key given$/m)
    const killed = temporaryDirectory()
    await writeKilledLog(killed, ['d-1', 'd-2', 'd-3'], { sealEvery: 2 })
    expect((await run(['why', 'd-3', '--audit', killed])).out).to.include('NOT SIGNED YET')
    await writeLog(killed, [])
    expect((await run(['why', 'd-3', '--audit', killed])).out).to.include('by the next process')
    const { standing } = JSON.parse((await run(['why', 'd-1', '--audit', killed, '--json'])).out)
    expect(standing).to.equal('signed')
  })

  it('judges nothing by policies that were changed after the decision', async () => {
    const folder = join(audit, 'revisions')
    const [name = ''] = await readdir(folder)
    const kept = await readFile(join(folder, name), 'utf8')
    await writeFile(join(folder, name), kept.replace('permit', 'forbid'))
    const { code, out } = await run(['why', decisionId, '--audit', audit])
    await writeFile(join(folder, name), kept)
    expect(code).to.equal(1)
    expect(out).to.include('EVIDENCE WAS CHANGED')
  })

  it('ends with 1 when there is no such record', async () => {
    expect(await run(['why', 'nobody-knows', '--audit', audit])).to.include({ code: 1, out: '' })
    expect(await run(['why', decisionId, '--audit', join(audit, 'absent')])).to.include({ code: 1, out: '' })
  })

  it('looks in the log of every replica that is named', async () => {
    const empty = temporaryDirectory()
    for (const audits of [
      [audit, empty],
      [empty, audit],
    ]) {
      const { code, out } = await run(['why', ...audits.flatMap((each) => ['--audit', each]), decisionId])
      expect(code).to.equal(0)
      expect(out).to.include('judged again: the same')
    }
  })

  it('finds the policies beside a segment that is named', async () => {
    const [segment = ''] = (await readdir(audit)).filter((name) => name.startsWith('waywarden'))
    const { out } = await run(['why', decisionId, '--audit', join(audit, segment)])
    expect(out).to.include('judged again: the same')
  })

  it('says where it looked in vain', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000'
    const { err } = await run(['why', unknown, '--audit', audit])
    expect(err).to.equal(`no record of decision \`${unknown}\`; name every replica's log`)
    const absent = join(audit, 'absent')
    const { err: missing } = await run(['why', unknown, '--audit', absent])
    expect(missing).to.equal(
      `no record of decision \`${unknown}\`; name every replica's log; not read: \`${absent}\`: there is no such file or directory`,
    )
  })

  type Line = { readonly decisionId: string; readonly code?: string }
  async function records(): Promise<readonly Line[]> {
    const names = (await readdir(audit)).filter((name) => name.endsWith('.ndjson'))
    const texts = await Promise.all(names.map((name) => readFile(join(audit, name), 'utf8')))
    return texts.flatMap((text) =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line): Line => JSON.parse(line)),
    )
  }
})
