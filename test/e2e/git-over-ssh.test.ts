import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createGitSource, type GitSourceOptions } from '../../src/policy/source/git-source.ts'
import {
  createRemote,
  follow,
  type GitRemote,
  gitOptions,
  lookAt,
  smallRepository,
} from '../support/git-remote.ts'
import { createSshKey, type SshKey, type SshServer, startSshServer } from '../support/ssh-server.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('policies from Git over ssh', () => {
  let host: SshKey
  let otherHost: SshKey
  let user: SshKey
  let stranger: SshKey
  let remote: GitRemote
  let server: SshServer
  before(async () => {
    host = createSshKey()
    otherHost = createSshKey()
    user = createSshKey()
    stranger = createSshKey()
    remote = createRemote(smallRepository)
    server = await startSshServer(host, user)
  })
  after(() => server[Symbol.asyncDispose]())

  const knownHosts = (...keys: readonly SshKey[]) => {
    const path = join(temporaryDirectory(), "known hosts' file")
    writeFileSync(path, keys.map(({ publicKey }) => `[127.0.0.1]:${server.port} ${publicKey}\n`).join(''))
    return path
  }
  const sourceOf = (access: Partial<GitSourceOptions>) => {
    const url = `ssh://git@127.0.0.1:${server.port}${remote.directory}`
    return createGitSource(gitOptions({ url }, access))
  }

  it('follows a remote whose host is known, by the key from its file', async () => {
    const source = sourceOf({ sshKey: user.path, knownHosts: knownHosts(otherHost, host) })
    expect((await follow(source)).files.id).to.equal(remote.git('rev-parse', 'HEAD'))
    const next = remote.commit({ 'team/b.cedar': 'x' })
    expect(await lookAt(source)).to.equal(next)
  })

  const refused: readonly {
    readonly name: string
    readonly access: () => Partial<GitSourceOptions>
    readonly says: RegExp
  }[] = [
    {
      name: 'a host that proves itself by another key',
      access: () => ({ sshKey: user.path, knownHosts: knownHosts(otherHost) }),
      says: /proves itself by SHA256:\S+, which is not its key in `policy\.git\.knownHosts`/,
    },
    {
      name: 'a host that is not among the known ones',
      access: () => ({ sshKey: user.path, knownHosts: knownHosts() }),
      says: /`policy\.git\.knownHosts` has no such key of \[127\.0\.0\.1\]/,
    },
    {
      name: 'a host when none is known',
      access: () => ({ sshKey: user.path }),
      says: /`policy\.git\.knownHosts` has no such key/,
    },
    {
      name: 'a key that the host does not take',
      access: () => ({ sshKey: stranger.path, knownHosts: knownHosts(host) }),
      says: /does not take the key in `policy\.git\.sshKey`/,
    },
    {
      name: 'a key that is not there',
      access: () => ({ sshKey: '/nowhere/key', knownHosts: knownHosts(host) }),
      says: /\/nowhere\/key: No such file/,
    },
    {
      name: 'a user without a key',
      access: () => ({ knownHosts: knownHosts(host) }),
      says: /does not take the key/,
    },
  ]
  for (const { name, access, says } of refused) {
    it(`refuses ${name}, and says so`, async () => {
      const source = sourceOf(access())
      expect(await lookAt(source)).to.match(says)
      expect((await source.look()).kind).to.equal('failed')
    })
  }
})
