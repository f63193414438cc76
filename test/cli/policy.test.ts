import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { hostileFiles } from '../support/hostile-files.ts'
import { settings } from '../support/settings.ts'
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

  it('warns of names that catalog and configuration do not know, and serves all the same', async () => {
    const directory = temporaryDirectory()
    await cp('policies', directory, { recursive: true })
    await writeFile(
      join(directory, 'records-team/typos.cedar'),
      [
        'forbid (principal in TrustDomain::"hospital.exmaple", action, resource);',
        'forbid (principal in Group::"hospital/clinicans", action, resource);',
        'forbid (principal in Group::"hosptial/clerks", action, resource);\n',
      ].join('\n'),
    )
    const config = join(temporaryDirectory(), 'waywarden.yaml')
    await writeFile(config, settings)
    const alone = await run(['policy', 'check', directory])
    expect(alone.code).to.equal(0)
    expect(alone.err.match(/^warning: records-team\/typos\.cedar:\d+:/gm)).to.have.length(2)
    const { code, err, out } = await run(['policy', 'check', directory, '-c', config, '--json'])
    expect([code, err]).to.deep.equal([0, ''])
    const { ok, warnings } = JSON.parse(out)
    expect(ok).to.equal(true)
    expect(warnings.map(({ line }: { line: number }) => line)).to.deep.equal([1, 3, 3, 2])
  })

  it('ends with 78 when the configuration that it is to compare with is none', async () => {
    expect(await run(['policy', 'check', 'policies', '-c', 'absent.yaml'])).to.include({ code: 78, out: '' })
  })

  it('finds that its own tests fail, which keeps it from serving', async () => {
    const directory = temporaryDirectory()
    await cp('policies', directory, { recursive: true })
    await writeFile(join(directory, 'records-team/open.cedar'), 'forbid (principal, action, resource);\n')
    const { code, err } = await run(['policy', 'check', directory])
    expect(code).to.equal(1)
    expect(err).to.match(
      /^tests\/[a-z-]+\.yaml:\d+: test `.*`: decision: expected allow, found deny \(policy_denied: .+\)$/m,
    )
  })

  // Larger files are not even read: a limit of the directory says so.
  for (const { name, file, text, line } of hostileFiles.filter(
    (each) => each.file !== 'team/a.cedar' && each.text.length < 1_000_000,
  )) {
    it(`prints file, line and limit for ${name}`, async () => {
      const directory = temporaryDirectory()
      await cp('policies', directory, { recursive: true })
      await writeFile(join(directory, file), text)
      const { code, err } = await run(['policy', 'check', directory])
      expect(code).to.equal(1)
      expect(err.split('\n')[0]).to.match(new RegExp(`^${file}:${line}:\\d+: .*at most \\d+`))
    })
  }

  it('refuses a directory that is not there', async () => {
    expect(await run(['policy', 'check', join(temporaryDirectory(), 'absent')])).to.include({
      code: 1,
      out: '',
    })
  })
})
