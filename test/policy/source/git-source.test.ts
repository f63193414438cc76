import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createGitSource } from '../../../src/policy/source/git-source.ts'
import {
  createRemote,
  follow,
  type GitRemote,
  gitOptions,
  itRefusesRemote,
  lookAt,
  smallRepository,
} from '../../support/git-remote.ts'
import { createSshKey, type SshKey } from '../../support/ssh-server.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

describe('policy/source/git-source', () => {
  let remote: GitRemote
  beforeEach(() => {
    remote = createRemote(smallRepository)
  })

  it('names a revision by its commit and holds exactly what a policy repository is made of', async () => {
    const commit = remote.commit({
      'README.md': 'x',
      'tests/a.yaml': 'x',
      '.github/workflows/a.yaml': 'x',
      'sub/notes.txt': 'x',
    })
    const { files: found } = await follow(createGitSource(gitOptions(remote)))
    expect(found.id).to.equal(commit)
    expect(Object.fromEntries(found.files)).to.deep.equal(smallRepository)
    expect([...found.tests]).to.deep.equal([['tests/a.yaml', 'x']])
  })

  const refs: readonly { readonly name: string; readonly ref: string; readonly make: () => string }[] = [
    { name: 'a branch', ref: 'release', make: () => remote.git('branch', 'release') },
    { name: 'a branch by its full name', ref: 'refs/heads/main', make: () => '' },
    { name: 'a tag', ref: 'v1', make: () => remote.git('tag', 'v1') },
    { name: 'an annotated tag', ref: 'refs/tags/v2', make: () => remote.git('tag', '-a', '-m', 'two', 'v2') },
  ]
  for (const { name, ref, make } of refs) {
    it(`follows ${name}`, async () => {
      const commit = remote.git('rev-parse', 'HEAD')
      make()
      expect(await lookAt(createGitSource(gitOptions(remote, { ref })))).to.equal(commit)
    })
  }

  it('stays at a commit that the configuration pins', async () => {
    const ref = remote.git('rev-parse', 'HEAD')
    const source = createGitSource(gitOptions(remote, { ref }))
    expect(await lookAt(source)).to.equal(ref)
    remote.commit({ 'team/b.cedar': 'x' })
    expect(await lookAt(source)).to.equal(ref)
  })

  it('follows a folder of the repository', async () => {
    remote.commit({ 'deep/policies/services.yaml': 'services: []\n', 'deep/policies/t/b.cedar': 'x' })
    const { files: found } = await follow(createGitSource(gitOptions(remote, { path: 'deep/policies' })))
    expect([...found.files.keys()]).to.deep.equal(['services.yaml', 't/b.cedar'])
  })

  it('sees a new commit at the next look', async () => {
    const source = createGitSource(gitOptions(remote))
    await follow(source)
    const second = remote.commit({ 'team/b.cedar': 'x' })
    expect(await lookAt(source)).to.equal(second)
  })

  describe('last good', () => {
    it('is found again without the remote, with the time at which it was confirmed', async () => {
      const options = gitOptions(remote)
      const { files: served } = await follow(createGitSource(options), 4711)
      rmSync(remote.directory, { recursive: true })
      const restarted = createGitSource(options)
      const recalled = await restarted.recall()
      expect(recalled?.confirmedAtMs).to.equal(4711)
      expect(recalled?.found).to.deep.equal({ kind: 'found', files: served, pinned: undefined, notices: [] })
      expect((await restarted.look()).kind).to.equal('failed')
    })

    it('is nothing at the first start, and nothing of another repository', async () => {
      const options = gitOptions(remote)
      expect(await createGitSource(options).recall()).to.equal(undefined)
      await follow(createGitSource(options))
      const other = createRemote(smallRepository)
      const moved = createGitSource({ ...options, url: other.url })
      expect(await moved.recall()).to.equal(undefined)
      expect(await lookAt(moved)).to.equal(other.git('rev-parse', 'HEAD'))
    })

    it('is what was served, not what came later and was refused', async () => {
      const options = gitOptions(remote)
      const source = createGitSource(options)
      const { files: served } = await follow(source)
      remote.commit({ 'team/a.cedar': 'permit (' })
      await source.look()
      const recalled = await createGitSource(options).recall()
      expect(recalled?.found).to.have.nested.property('files.id', served.id)
    })

    it('must still carry an allowed signature', async () => {
      const options = gitOptions(remote)
      await follow(createGitSource(options))
      const recalled = await createGitSource({ ...options, allowedSigners: '/dev/null' }).recall()
      expect(recalled?.found.kind).to.equal('refused')
    })
  })

  itRefusesRemote({
    name: 'a history that was rewritten',
    spoil: (spoiled) => spoiled.commit({ 'team/a.cedar': 'x' }, '--amend'),
    mentions: /rewritten/,
  })

  it('takes a rewritten history when that is configured, and says so', async () => {
    const source = createGitSource(gitOptions(remote, { rewrites: 'follow' }))
    await follow(source)
    const rewritten = remote.commit({ 'team/a.cedar': 'x' }, '--amend')
    const found = await follow(source)
    expect(found.files.id).to.equal(rewritten)
    expect(found.notices).to.have.length(1)
  })

  it('takes a rewritten history that was merged with what it had been', async () => {
    const source = createGitSource(gitOptions(remote))
    const { files: served } = await follow(source)
    remote.commit({ 'team/a.cedar': 'x' }, '--amend')
    remote.git(
      'merge',
      '--quiet',
      '--strategy=ours',
      '--allow-unrelated-histories',
      '--message',
      'merge',
      served.id,
    )
    expect(await lookAt(source)).to.equal(remote.git('rev-parse', 'HEAD'))
  })

  describe('pin', () => {
    it('holds every follower at an earlier commit until it is released', async () => {
      const first = remote.git('rev-parse', 'HEAD')
      const second = remote.commit({ 'team/a.cedar': 'x' })
      const source = createGitSource(gitOptions(remote))
      expect((await follow(source)).files.id).to.equal(second)
      remote.git('update-ref', 'refs/waywarden/pin', first)
      expect(await follow(source)).to.include({ pinned: first })
      expect(await createGitSource(gitOptions(remote)).look()).to.include({ pinned: first })
      const third = remote.commit({ 'team/a.cedar': 'y' })
      expect((await follow(source)).files.id).to.equal(first)
      remote.git('update-ref', '-d', 'refs/waywarden/pin')
      expect(await follow(source))
        .to.deep.include({ pinned: undefined })
        .and.have.nested.property('files.id', third)
    })

    it('outlasts a restart without the remote', async () => {
      const first = remote.git('rev-parse', 'HEAD')
      remote.commit({ 'team/a.cedar': 'x' })
      remote.git('update-ref', 'refs/waywarden/pin', first)
      const options = gitOptions(remote)
      await follow(createGitSource(options))
      rmSync(remote.directory, { recursive: true })
      expect((await createGitSource(options).recall())?.found).to.include({ pinned: first })
    })

    it('brings in nothing that the followed ref has not been', async () => {
      remote.git('checkout', '--quiet', '-b', 'evil')
      const evil = remote.commit({ 'team/a.cedar': 'evil' })
      remote.git('checkout', '--quiet', 'main')
      remote.git('update-ref', 'refs/waywarden/pin', evil)
      expect(await lookAt(createGitSource(gitOptions(remote)))).to.match(/not in the history/)
    })
  })

  describe('signatures', () => {
    const sign = ({ path }: SshKey) => {
      remote.git('config', 'gpg.format', 'ssh')
      remote.git('config', 'user.signingkey', path)
      return remote.commit({ 'team/a.cedar': path }, '--gpg-sign')
    }
    const signers = (...keys: readonly SshKey[]) => {
      const path = join(temporaryDirectory(), 'signers')
      writeFileSync(path, keys.map(({ publicKey }) => `a@hospital.example ${publicKey}\n`).join(''))
      return path
    }

    it('takes a commit that an allowed signer has signed', async () => {
      const key = createSshKey()
      const commit = sign(key)
      expect(await lookAt(createGitSource(gitOptions(remote, { allowedSigners: signers(key) })))).to.equal(
        commit,
      )
    })

    it('refuses a commit without signature, by a stranger, and with no list to be on', async () => {
      const key = createSshKey()
      const allowedSigners = signers(key)
      expect(await lookAt(createGitSource(gitOptions(remote, { allowedSigners })))).to.match(/signature/)
      sign(createSshKey())
      expect(await lookAt(createGitSource(gitOptions(remote, { allowedSigners })))).to.match(/signature/)
      expect(await lookAt(createGitSource(gitOptions(remote, { allowedSigners: '/nowhere' })))).to.match(
        /allowedSigners/,
      )
    })
  })
})
