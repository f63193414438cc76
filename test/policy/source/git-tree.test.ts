import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createGitSource } from '../../../src/policy/source/git-source.ts'
import {
  createRemote,
  follow,
  type GitRemote,
  gitOptions,
  itRefusesRemote,
  type SpoiledRemote,
  smallRepository,
} from '../../support/git-remote.ts'

const spoiled: readonly SpoiledRemote[] = [
  {
    name: 'a symbolic link out of the tree',
    spoil: (remote) => {
      symlinkSync('/etc/passwd', join(remote.directory, 'team/link.cedar'))
      remote.commit({})
    },
    mentions: /team\/link\.cedar: .*symbolic link/,
  },
  {
    name: 'a folder that is a symbolic link',
    spoil: (remote) => {
      symlinkSync('/etc', join(remote.directory, 'linked'))
      remote.commit({})
    },
    mentions: /linked: .*symbolic link/,
  },
  {
    name: 'a submodule',
    spoil: (remote) => {
      const commit = remote.git('rev-parse', 'HEAD')
      remote.git('update-index', '--add', '--cacheinfo', `160000,${commit},vendor`)
      remote.git('commit', '--quiet', '--message', 'submodule')
    },
    mentions: /vendor: .*submodule/,
  },
  {
    name: 'a pointer to Git LFS',
    spoil: (remote) =>
      remote.commit({ 'team/b.cedar': 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n' }),
    mentions: /Git LFS/,
  },
  {
    name: 'a folder in place of a file',
    spoil: (remote) => remote.commit({ 'entities.json/deep/README.md': 'x', 'team/b.cedar/README.md': 'x' }),
    mentions: /entities\.json: expected a file, found a folder[\s\S]*team\/b\.cedar: expected a file/,
  },
  {
    name: 'a file that is too large',
    spoil: (remote) => remote.commit({ 'team/b.cedar': 'x'.repeat(5 * 1024 * 1024) }),
    mentions: /team\/b\.cedar: expected at most/,
  },
  {
    name: 'a file of tests that is too large',
    spoil: (remote) => remote.commit({ 'tests/a.yaml': 'x'.repeat(300 * 1024) }),
    mentions: /tests\/a\.yaml: expected at most/,
  },
  {
    name: 'tests that are a submodule',
    spoil: (remote) => {
      const commit = remote.git('rev-parse', 'HEAD')
      remote.git('update-index', '--add', '--cacheinfo', `160000,${commit},tests`)
      remote.git('commit', '--quiet', '--message', 'submodule')
    },
    mentions: /tests: .*submodule/,
  },
  {
    name: 'a file name with a line break',
    spoil: (remote) => remote.commit({ 'team/b\nc.cedar': 'x' }),
    mentions: /printable/,
  },
  ...[
    'team/B.CEDAR',
    'team/b.cedar.txt',
    '.hidden/b.cedar',
    'Services.yaml',
    'tests/b.yaml.txt',
    '..data/b.cedar',
  ].map((file) => ({
    name: `${file}, which looks as if it were read`,
    spoil: (remote: GitRemote) => remote.commit({ [file]: 'x' }),
    mentions: new RegExp(`^${file}: looks like`),
  })),
  {
    name: 'a folder that is gone',
    spoil: (remote) => remote.commit({ 'team/a.cedar': undefined }),
    mentions: /no such folder/,
    overlay: { path: 'team' },
  },
]

describe('policy/source/git-tree', () => {
  for (const row of spoiled) itRefusesRemote(row)

  it('takes what may lie beside policies', async () => {
    const remote = createRemote({
      ...smallRepository,
      'README.md': '',
      '.github/CODEOWNERS': '',
      'team/a.cedar~': '',
    })
    const { files } = await follow(createGitSource(gitOptions(remote)))
    expect([...files.files.keys()]).to.deep.equal(Object.keys(smallRepository))
  })
})
