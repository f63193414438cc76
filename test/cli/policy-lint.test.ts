import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

describe('cli/policy-lint', () => {
  it('finds nothing in the sample', async () => {
    expect(await run(['policy', 'lint', 'policies'])).to.include({ code: 0, err: '' })
    const { out } = await run(['policy', 'lint', 'policies', '--json'])
    expect(JSON.parse(out)).to.deep.equal({ ok: true, problems: [], findings: [] })
  })

  it('ends with 1 and says where and why', async () => {
    const directory = temporaryDirectory()
    await cp('policies', directory, { recursive: true })
    const cedar =
      'permit (principal is User, action, resource in Service::"insurance") when { context.role == "caller" };\n'
    await writeFile(join(directory, 'insurance-team/never.cedar'), cedar)
    const { code, out } = await run(['policy', 'lint', directory])
    expect(code).to.equal(1)
    expect(out).to.match(/^insurance-team\/never\.cedar:1: never-matches: /m)
    const { findings } = JSON.parse((await run(['policy', 'lint', directory, '--json'])).out)
    expect(findings[0]).to.include({ rule: 'never-matches', line: 1 })
  })

  it('ends with 1 for a repository that does not load', async () => {
    expect(await run(['policy', 'lint', 'docs'])).to.include({ code: 1, out: '' })
    const { out } = await run(['policy', 'lint', 'docs', '--json'])
    expect(JSON.parse(out)).to.deep.include({ ok: false, findings: [] })
  })
})
