import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { verifyLogs } from '../../src/audit/verify/verify.ts'
import type { Config } from '../../src/config/config.ts'
import { uris } from '../support/hospital.ts'
import { chainNow, startTestApp, tokenNow } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'
import { decisionsIn, publicKeyOf } from '../support/written-log.ts'

function withAudit(overlay: Partial<Config['audit']>): (config: Config) => Config {
  return (config) => ({ ...config, audit: { ...config.audit, ...overlay } })
}

describe('app/audit-modes', () => {
  for (const mode of ['written', 'durable', 'buffered'] as const) {
    it(`records what it answers, sealed at shutdown, in ${mode}`, async () => {
      const directory = temporaryDirectory()
      const ids: string[] = []
      {
        await using app = await startTestApp(directory, withAudit({ mode }))
        const headers = { 'actor-chain': chainNow() }
        const answers = await Promise.all(Array.from({ length: 20 }, () => app.ask({ headers })))
        ids.push(...answers.map(({ clientHeaders }) => clientHeaders['waywarden-decision-id'] ?? ''))
        expect(new Set(answers.map(({ kind }) => kind))).to.deep.equal(new Set(['ok']))
      }
      const audit = join(directory, 'audit')
      expect([...(await decisionsIn(audit))].sort()).to.deep.equal(ids.sort())
      const { logs } = await verifyLogs([audit], { keys: [publicKeyOf(audit)], exported: [] })
      expect(logs.map(({ flaws, verdict }) => [flaws, verdict.unsealed])).to.deep.equal([[[], 0]])
      expect(logs[0]?.verdict.origin).to.match(/^waywarden\.hospital\.example\/audit\//)
    })
  }

  it('names users by pseudonyms, by which their records are found', async () => {
    const directory = temporaryDirectory()
    const pseudonyms = join(directory, 'pseudonyms')
    writeFileSync(pseudonyms, '0123456789abcdef0123456789abcdef')
    {
      await using app = await startTestApp(directory, withAudit({ pseudonyms }))
      expect((await app.ask({ headers: { 'actor-chain': chainNow() } })).kind).to.equal('ok')
    }
    const find = ['audit', 'find', join(directory, 'audit'), '--user']
    expect((await run([...find, 'clerk'])).out).to.equal('')
    const { code, out } = await run([...find, 'hospital/clerk', '--pseudonyms', pseudonyms])
    expect([code, out.includes('agent-d -> insurance')]).to.deep.equal([0, true])
    expect((await run([...find, 'clerk', '--pseudonyms', pseudonyms])).code).to.equal(2)
  })

  it('does not start without the secret of the pseudonyms', async () => {
    const directory = temporaryDirectory()
    const pseudonyms = join(directory, 'nowhere')
    const app = await startTestApp(directory, withAudit({ pseudonyms })).catch((error: unknown) => error)
    expect(app).to.have.property('name', 'StartError')
  })

  it('refuses to start where another process writes', async () => {
    const directory = temporaryDirectory()
    await using _first = await startTestApp(directory)
    const second = await startTestApp(directory).catch((error: unknown) => error)
    expect(second).to.have.property('code', 'audit_unavailable')
  })

  it('writes no secret into any file: no chain, token, key, cookie or query', async () => {
    const directory = temporaryDirectory()
    const inputs = new Set(['keys', 'policies', 'idp-jwks.json', 'revocations.json'])
    const secrets = [chainNow(), tokenNow(), 'session=4711', 'ssn=078-05-1120', 'made-up-bearer']
    {
      await using app = await startTestApp(directory)
      const [chain = '', token = ''] = secrets
      await app.ask({ headers: { 'actor-chain': chain, cookie: 'session=4711' } })
      await app.ask({ path: '/coverage/42?ssn=078-05-1120', headers: { 'actor-chain': chain } })
      await app.ask({
        headers: { 'actor-chain': `${chain.slice(0, -4)}AAAA`, authorization: 'Bearer made-up-bearer' },
      })
      const authorization = `Bearer ${token}`
      const tasks = { method: 'POST', path: '/tasks', destinationAddress: '10.96.0.4:8080' }
      const { setHeaders } = await app.ask({ ...tasks, peer: uris.gateway, headers: { authorization } })
      secrets.push(setHeaders['actor-chain'] ?? '')
    }
    const written = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !inputs.has(file.slice(directory.length + 1).split('/')[0] ?? ''))
    expect(written.length).to.be.greaterThan(3)
    const parts = secrets.flatMap((secret) => [
      secret,
      ...secret.split('.').filter((part) => part.length > 20),
    ])
    for (const file of written) {
      const text = readFileSync(file, 'utf8')
      expect(parts.filter((part) => text.includes(part))).to.deep.equal([])
    }
  })
})
