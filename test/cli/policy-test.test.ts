import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

describe('cli/policy-test', () => {
  it('passes the sample, which covers every policy', async () => {
    const { code, out, err } = await run(['policy', 'test', 'policies', '--min-coverage', '100'])
    expect([code, err]).to.deep.equal([0, ''])
    expect(out).to.match(/\d+ passed, 0 failed\n10 of 10 policies/)
  })

  describe('with policies that no longer do what their tests say', () => {
    let directory: string
    before(async () => {
      directory = temporaryDirectory()
      await cp('policies', directory, { recursive: true })
      const file = join(directory, 'records-team/patient-records.cedar')
      const text = await readFile(file, 'utf8')
      await writeFile(file, text.slice(0, text.indexOf('// Whatever')))
    })

    it('ends with 1 and shows what was expected and what was found', async () => {
      const { code, out } = await run(['policy', 'test', directory])
      expect(code).to.equal(1)
      expect(out).to.match(/^✗ records: .*\(tests\/patient-records\.yaml:\d+\)$/m)
      expect(out).to.match(
        /deniedBy +- subject hospital\/clerk by .*clinicians-only\n +\+ subject hospital\/clerk by none/,
      )
    })

    it('prints results for scripts, and JUnit for CI', async () => {
      const junit = join(directory, 'junit.xml')
      const { code, out } = await run(['policy', 'test', directory, '--json', '--junit', junit])
      const { ok, failed, tests, coverage } = JSON.parse(out)
      expect([code, ok, failed]).to.deep.equal([1, false, 1])
      expect(tests[0]).to.deep.include({ file: 'tests/agents.yaml', ok: true, differences: [] })
      expect(coverage.total).to.equal(9)
      expect(await readFile(junit, 'utf8')).to.match(/<testsuites [^>]*failures="1"/)
    })
  })

  it('runs only the tests whose names contain a text', async () => {
    const { code, out } = await run(['policy', 'test', 'policies', '--filter', 'first hop', '--json'])
    const { passed, failed } = JSON.parse(out)
    expect([code, passed, failed]).to.deep.equal([0, 4, 0])
    expect(await run(['policy', 'test', 'policies', '--filter', 'no such name'])).to.include({ code: 1 })
  })

  it('ends with 1 below the coverage that is asked for', async () => {
    const directory = temporaryDirectory()
    await cp('policies', directory, { recursive: true })
    await writeFile(join(directory, 'tests/agents.yaml'), 'tests: []\n')
    const { code, err } = await run(['policy', 'test', directory, '--min-coverage', '100'])
    expect([code, /coverage \d+ %/.test(err)]).to.deep.equal([1, true])
    expect(await run(['policy', 'test', directory, '--min-coverage', '50'])).to.include({ code: 0 })
  })

  it('ends with 1 without tests, with tests that cannot be read, and with policies that do not load', async () => {
    const directory = temporaryDirectory()
    await cp('policies', directory, { recursive: true, filter: (path) => !path.includes('tests') })
    expect(await run(['policy', 'test', directory])).to.include({ code: 1 })
    await cp('policies/tests', join(directory, 'tests'), { recursive: true })
    await writeFile(join(directory, 'tests/broken.yaml'), 'tests: 7\n')
    expect((await run(['policy', 'test', directory])).err).to.match(/^tests\/broken\.yaml:1/)
    await writeFile(join(directory, 'services.yaml'), 'services: 7\n')
    const { code, out } = await run(['policy', 'test', directory, '--json'])
    expect([code, JSON.parse(out).ok]).to.deep.equal([1, false])
  })

  it('refuses a coverage that is none, and neither directory nor files', async () => {
    expect(await run(['policy', 'test', 'policies', '--min-coverage', '101'])).to.include({ code: 2 })
    expect(await run(['policy', 'test'])).to.include({ code: 2 })
  })
})
