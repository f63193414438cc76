import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createGitSource } from '../../../src/policy/source/git-source.ts'
import {
  createRemote,
  follow,
  gitOptions,
  itRefusesRemote,
  lookAt,
  type SpoiledRemote,
  smallRepository,
} from '../../support/git-remote.ts'

const spoiled: readonly SpoiledRemote[] = [
  {
    name: 'a branch that was deleted',
    spoil: (remote) => {
      remote.git('checkout', '--quiet', '-b', 'other')
      remote.git('branch', '-D', 'main')
    },
    mentions: /no branch or tag `main`/,
  },
  {
    name: 'a name that is a branch and a tag',
    spoil: (remote) => remote.git('tag', 'main'),
    mentions: /branch and a tag/,
  },
  {
    name: 'a tree of which the remote has lost a part',
    spoil: (remote) => {
      const commit = remote.commit({ 'team/b.cedar': 'lost' })
      const blob = remote.git('rev-parse', `${commit}:team/b.cedar`)
      rmSync(join(remote.directory, '.git/objects', blob.slice(0, 2), blob.slice(2)))
    },
    mentions: /./,
  },
  {
    name: 'a repository larger than its limit',
    spoil: (remote) => remote.commit({ 'blob.bin': randomBytes(6 * 1024 * 1024).toString('base64') }),
    mentions: /larger than/,
    overlay: { maxBytes: 4 * 1024 * 1024 },
  },
]

describe('policy/source/git-repository', () => {
  for (const row of spoiled) itRefusesRemote(row)

  it('follows a repository again that was too large and is small again', async () => {
    const remote = createRemote(smallRepository)
    const source = createGitSource(gitOptions(remote, { maxBytes: 4 * 1024 * 1024 }))
    const { files } = await follow(source)
    remote.commit({ 'blob.bin': randomBytes(6 * 1024 * 1024).toString('base64') })
    expect((await source.look()).kind).to.equal('failed')
    remote.git('reset', '--quiet', '--hard', files.id)
    const next = remote.commit({ 'team/b.cedar': 'x' })
    expect(await lookAt(source)).to.equal(next)
  })

  const left = ['refs/waywarden/head.lock', 'packed-refs.lock', 'config.lock']
  for (const name of left) {
    it(`is not held up by the ${name} of a git that was killed`, async () => {
      const remote = createRemote(smallRepository)
      const options = gitOptions(remote)
      await follow(createGitSource(options))
      writeFileSync(join(options.directory, name), '')
      const next = remote.commit({ 'team/b.cedar': 'x' })
      expect(await lookAt(createGitSource(options))).to.equal(next)
    })
  }
})
