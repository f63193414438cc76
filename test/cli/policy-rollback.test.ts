import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { storeRevision } from '../../src/audit/write/revision-store.ts'
import { readPolicyDirectory } from '../../src/policy/source/directory-source.ts'
import { failCallsUnder } from '../support/failing-calls.ts'
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

    it('passes over commits that would be refused, and says why', async () => {
      remote.commit({ 'team/b.cedar': 'permit (' })
      remote.commit({ 'team/b.cedar': '// repaired\n' })
      const { code, err, out } = await rollback()
      expect(code).to.equal(0)
      expect(err).to.match(/^skipped [0-9a-f]{12}: it would not be served:\n.*team\/b\.cedar:1/)
      expect(out).to.include(commits[3])
      expect(pin()).to.equal(commits[3])
    })

    it('says of each commit why it cannot be pinned when none can', async () => {
      remote.git('checkout', '--quiet', '--orphan', 'fresh')
      remote.commit({ 'team/a.cedar': 'permit (' })
      remote.commit({ 'team/a.cedar': 'forbid (' })
      remote.git('branch', '--quiet', '-M', 'fresh', 'main')
      const { code, err } = await rollback()
      expect(code).to.equal(1)
      expect(err).to.match(
        /no commit of `main` before [0-9a-f]{12} would be served; 1 commit tried:\n[0-9a-f]{12}: .*\n.*team\/a\.cedar:1/,
      )
      expect(pin()).to.equal('')
    })

    it('says that there is no commit before', async () => {
      remote.git('reset', '--quiet', '--hard', commits[0] ?? '')
      const { code, err } = await rollback()
      expect([code, err])
        .to.deep.equal([1, err])
        .and.to.match(/no commit of `.*` before [0-9a-f]{12} changed/)
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

    it('replaces a pin that names no commit, and releases it', async () => {
      const pinTree = () =>
        remote.git('update-ref', 'refs/waywarden/pin', remote.git('rev-parse', 'HEAD^{tree}'))
      pinTree()
      expect((await rollback()).code).to.equal(0)
      expect(pin()).to.equal(commits[2])
      pinTree()
      expect((await rollback('--release')).code).to.equal(0)
      expect(pin()).to.equal('')
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
      await storeRevision(join(directory, 'audit'), first.id, first.files)
      writeFileSync(join(policies, 'clinic-team/empty.cedar'), '// another revision\n')
      expect((await rollback()).code).to.equal(0)
      expect(readFileSync(join(policies, 'PIN'), 'utf8')).to.equal(`${first.id}\n`)
      expect((await rollback('--release')).code).to.equal(0)
      expect(existsSync(join(policies, 'PIN'))).to.equal(false)
      expect((await rollback(first.id.slice(0, 8))).code).to.equal(0)
    })

    describe('that has served', () => {
      let policies = ''
      let first = ''
      beforeEach(async () => {
        policies = join(directory, 'policies')
        cpSync('policies', policies, { recursive: true })
        writeFileSync(config, settings)
        const read = await readPolicyDirectory(policies)
        if (!('files' in read)) throw new TypeError('expected the sample policies')
        first = read.id
        await storeRevision(join(directory, 'audit'), read.id, read.files)
        writeFileSync(join(policies, 'clinic-team/empty.cedar'), '// another revision\n')
      })
      const pins = () => readdirSync(policies).filter((name) => name.includes('PIN'))

      for (const umask of [0o000, 0o022, 0o077, 0o177]) {
        it(`writes a pin that the server can read as whichever user, under umask ${umask.toString(8)}`, async () => {
          const before = process.umask(umask)
          try {
            expect((await rollback()).code).to.equal(0)
          } finally {
            process.umask(before)
          }
          expect(statSync(join(policies, 'PIN')).mode & 0o777).to.equal(0o644)
          expect(pins()).to.deep.equal(['PIN'])
        })
      }

      it('replaces a pin whole, and leaves it as it was when it cannot be replaced', async () => {
        writeFileSync(join(policies, 'PIN'), 'as it was')
        using failing = failCallsUnder(directory)
        failing.arm()
        expect((await rollback()).code).to.equal(0)
        const calls = failing.calls()
        const written = calls.map((call, at) => ({ call, at })).filter(({ call }) => call.includes('/.PIN.'))
        expect(written.length).to.be.greaterThan(4)
        for (const { call, at } of written) {
          writeFileSync(join(policies, 'PIN'), 'as it was')
          failing.arm(at + 1, 'ENOSPC')
          const { code, err } = await rollback()
          expect([code, err], call)
            .to.deep.equal([1, err])
            .and.to.match(/no pin was set.*ENOSPC/)
          expect(readFileSync(join(policies, 'PIN'), 'utf8')).to.equal('as it was')
          expect(pins()).to.deep.equal(['PIN'])
        }
      })

      it('pins nothing when it cannot find out what serves, or what was kept', async () => {
        for (const path of [/policies\/clinic-team/, /revisions$/, /revisions\/.*json$/]) {
          using failing = failCallsUnder(directory)
          failing.failAll('EMFILE', path)
          expect((await rollback()).code, String(path)).to.equal(1)
          expect(pins()).to.deep.equal([])
        }
      })

      it('says that a pin holds which it cannot remove, and pins nothing where there is none', async () => {
        expect((await rollback('--release')).err).to.contain('pins nothing')
        writeFileSync(join(policies, 'PIN'), first)
        using failing = failCallsUnder(directory)
        failing.failAll('EROFS', /PIN$/)
        const { code, err } = await rollback('--release')
        expect([code, err])
          .to.deep.equal([1, err])
          .and.to.match(/it still applies.*EROFS/)
      })
    })
  })

  it('needs a configuration that can serve', async () => {
    writeFileSync(config, 'version: 2\n')
    expect((await rollback()).code).to.equal(78)
  })
})
