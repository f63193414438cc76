import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { keepRevision } from '../../src/audit/revision-store.ts'
import { readPolicyDirectory } from '../../src/revision/directory-source.ts'
import { createRemote, type GitRemote } from '../support/git-remote.ts'
import { policyFiles } from '../support/policy-files.ts'
import { settings } from '../support/settings.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

describe('cli/policy-rollback', () => {
  let directory = ''
  let config = ''
  beforeEach(() => {
    directory = temporaryDirectory()
    config = join(directory, 'waywarden.yaml')
  })
  const rollback = (...args: readonly string[]) => run(['policy', 'rollback', ...args, '-c', config])

  describe('of a Git source', () => {
    let remote: GitRemote
    let commits: readonly string[]
    const pin = () => remote.git('for-each-ref', '--format=%(objectname)', 'refs/waywarden/pin')
    beforeEach(() => {
      remote = createRemote(Object.fromEntries(policyFiles().files))
      const good =
        'permit (principal, action, resource in Service::"records") when { context.role == "caller" };\n'
      commits = [
        remote.git('rev-parse', 'HEAD'),
        remote.commit({ 'team/a.cedar': 'permit (' }),
        remote.commit({ 'team/a.cedar': good }),
        remote.commit({ 'team/b.cedar': '// no policy\n' }),
      ]
      const git = `policy: {git: {url: '${remote.url}', directory: ./copy}}`
      writeFileSync(config, settings.replace(/^policy: .*$/m, git))
    })

    it('pins the commit before, then the one that is named, and releases', async () => {
      expect((await rollback()).code).to.equal(0)
      expect(pin()).to.equal(commits[2])
      expect((await rollback(commits[0]?.slice(0, 10) ?? '', '--json')).out).to.contain(commits[0])
      expect(pin()).to.equal(commits[0])
      expect((await rollback('--release')).code).to.equal(0)
      expect(pin()).to.equal('')
      expect((await rollback('--release')).code).to.equal(1)
    })

    it('pins no commit whose own tests fail, unless they are ignored', async () => {
      const failing = remote.commit({ 'tests/a.yaml': 'tests: 7\n' })
      remote.commit({ 'tests/a.yaml': undefined })
      const { code, err } = await rollback(failing)
      expect([code, err])
        .to.deep.equal([1, err])
        .and.to.match(/tests\/a\.yaml:1/)
      const lenient = readFileSync(config, 'utf8').replace('policy: {', 'policy: {tests: ignored, ')
      writeFileSync(config, lenient)
      expect((await rollback(failing)).code).to.equal(0)
    })

    it('pins nothing that would be refused', async () => {
      remote.git('checkout', '--quiet', '-b', 'other')
      const other = remote.commit({ 'team/c.cedar': '// another branch\n' })
      remote.git('checkout', '--quiet', 'main')
      for (const revision of [commits[1] ?? '', other, 'f'.repeat(40), 'main', '--mirror'])
        expect((await rollback(revision)).code, revision).to.be.greaterThan(0)
      expect(pin()).to.equal('')
    })
  })

  describe('of a directory', () => {
    it('pins what was served before, from what is kept, and releases', async () => {
      const policies = join(directory, 'policies')
      cpSync('policies', policies, { recursive: true })
      writeFileSync(config, settings)
      const first = await readPolicyDirectory(policies)
      if (!('files' in first)) throw new TypeError('expected the sample policies')
      expect((await rollback()).code).to.equal(1)
      await keepRevision(join(directory, 'audit'), first.id, first.files)
      writeFileSync(join(policies, 'clinic-team/empty.cedar'), '// another revision\n')
      expect((await rollback()).code).to.equal(0)
      expect(readFileSync(join(policies, 'PIN'), 'utf8')).to.equal(`${first.id}\n`)
      expect((await rollback('--release')).code).to.equal(0)
      expect(existsSync(join(policies, 'PIN'))).to.equal(false)
      expect((await rollback(first.id.slice(0, 8))).code).to.equal(0)
    })
  })

  it('needs a configuration that can serve', async () => {
    writeFileSync(config, 'version: 2\n')
    expect((await rollback()).code).to.equal(78)
  })
})
