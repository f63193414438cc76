import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

describe('cli/policy', () => {
  it('counts what a repository that can serve holds', async () => {
    const { code, out } = await run(['policy', 'check', 'policies', '--json'])
    expect(code).to.equal(0)
    const { ok, services, policies, tests, problems } = JSON.parse(out)
    expect({ ok, services, problems }).to.deep.equal({ ok: true, services: 5, problems: [] })
    expect([policies, tests].every((count) => count > 0)).to.equal(true)
    expect(await run(['policy', 'check', 'policies'])).to.include({ code: 0, err: '' })
  })

  it('prints every problem of one that cannot, with file, line and column', async () => {
    const directory = temporaryDirectory()
    await cp('policies', directory, { recursive: true })
    await writeFile(
      join(directory, 'broken.cedar'),
      'permit (principal, action, resource)\nwhen { principal.salary > 7 };\n',
    )
    const { code, out, err } = await run(['policy', 'check', directory])
    expect([code, out]).to.deep.equal([1, ''])
    expect(err).to.match(/^broken\.cedar:\d+:\d+: /m)
    const { out: json } = await run(['policy', 'check', directory, '--json'])
    expect(JSON.parse(json)).to.include({ ok: false })
  })

  it('finds that its own tests fail, which keeps it from serving', async () => {
    const directory = temporaryDirectory()
    await cp('policies', directory, { recursive: true })
    await writeFile(join(directory, 'records-team/open.cedar'), 'forbid (principal, action, resource);\n')
    const { code, err } = await run(['policy', 'check', directory])
    expect(code).to.equal(1)
    expect(err).to.match(/^tests\/[a-z-]+\.yaml:\d+: test `.*`: decision: expected allow, found deny$/m)
  })

  it('refuses a directory that is not there', async () => {
    expect(await run(['policy', 'check', join(temporaryDirectory(), 'absent')])).to.include({
      code: 1,
      out: '',
    })
  })
})
