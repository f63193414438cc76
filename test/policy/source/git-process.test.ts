import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { createGit, type GitAccess, isGitFailure } from '../../../src/policy/source/git-process.ts'
import { createRemote, gitOptions, smallRepository } from '../../support/git-remote.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

/** A git in a new bare repository; resolves with what it printed, or with why not. */
async function open(access: Partial<GitAccess> = {}) {
  const directory = join(temporaryDirectory(), 'repository')
  const git = createGit(directory, { ...gitOptions({ url: 'https://127.0.0.1/x' }), ...access })
  await git({ args: ['init', '--bare', '--quiet', directory] })
  const run = async (...args: readonly string[]) => {
    const output = await git({ args })
    return isGitFailure(output) ? `failed: ${output.message}` : output.toString().trim()
  }
  return { directory, git, run }
}

async function listen(
  answer: (socket: Socket) => unknown,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}

describe('policy/source/git-process', () => {
  for (const url of [
    'ext::sh -c touch% /tmp/x',
    'git://127.0.0.1/x',
    'http://127.0.0.1/x',
    'ftp://127.0.0.1/x',
  ]) {
    it(`does not speak ${url}`, async () => {
      const { run } = await open()
      expect(await run('ls-remote', '--', url)).to.match(/failed: .*transport '\w+' not allowed/)
    })
  }

  it('takes an option for a remote when it stands where a remote must', async () => {
    const { run, directory } = await open()
    const marker = join(directory, 'marker')
    expect(await run('ls-remote', '--', `--upload-pack=touch ${marker}`)).to.match(/^failed/)
    expect(existsSync(marker)).to.equal(false)
  })

  it('runs no hook of its repository', async () => {
    const { run, directory } = await open()
    const remote = createRemote(smallRepository)
    const hook = join(directory, 'hooks/reference-transaction')
    mkdirSync(join(directory, 'hooks'), { recursive: true })
    writeFileSync(hook, `#!/bin/sh\ntouch ${directory}/marker\n`)
    chmodSync(hook, 0o755)
    expect(await run('fetch', '--quiet', '--', remote.url, '+refs/heads/main:refs/waywarden/head')).to.equal(
      '',
    )
    expect(existsSync(join(directory, 'marker'))).to.equal(false)
  })

  it('takes no configuration of the system or a user', async () => {
    const { run, directory } = await open()
    writeFileSync(join(directory, '.gitconfig'), '[user]\n\tname = intruder\n')
    expect(await run('config', '--get', 'user.name')).to.match(/^failed/)
    expect(await run('config', '--get', 'core.hooksPath')).to.equal('/dev/null')
  })

  it('hands out the token for its own URL alone, and not in its arguments', async () => {
    const tokenFile = join(temporaryDirectory(), 'token')
    writeFileSync(tokenFile, 's3cret\n')
    const { run } = await open({ url: 'https://git.hospital.example/p.git', tokenFile })
    const header = (url: string) => run('config', '--get-urlmatch', 'http.extraHeader', url)
    const basic = Buffer.from('x-access-token:s3cret').toString('base64')
    expect(await header('https://git.hospital.example/p.git')).to.equal(`Authorization: Basic ${basic}`)
    expect(await header('https://elsewhere.example/p.git')).to.match(/^failed/)
    writeFileSync(tokenFile, 'renewed')
    expect(await header('https://git.hospital.example/p.git')).to.contain(
      Buffer.from('x-access-token:renewed').toString('base64'),
    )
  })

  it('says which credential it lacks', async () => {
    const { run } = await open({ tokenFile: '/nowhere/token' })
    expect(await run('version')).to.match(/failed: .*\/nowhere\/token/)
  })

  it('asks nobody: an ssh host that is not known is refused', async () => {
    const { directory, run } = await open({ sshKey: "/no where/it's", knownHosts: undefined })
    await using server = await listen((socket) => socket.end('SSH-2.0-none\r\n'))
    expect(await run('ls-remote', '--', `ssh://git@127.0.0.1:${server.port}/x`)).to.match(/^failed/)
    expect(existsSync(join(directory, '.ssh'))).to.equal(false)
  })

  it('ends a git that takes too long, and everything that it has started', async () => {
    const { git } = await open()
    let isClosed: (() => void) | undefined
    const closed = new Promise<void>((resolve) => {
      isClosed = resolve
    })
    await using server = await listen((socket) =>
      socket
        .resume()
        .on('close', () => isClosed?.())
        .on('error', () => {}),
    )
    const failed = await git({
      args: ['ls-remote', '--', `ssh://127.0.0.1:${server.port}/x`],
      timeoutMs: 300,
    })
    expect(failed)
      .to.have.property('message')
      .that.matches(/longer than/)
    await closed
  })

  it('ends with the process that has started it', async () => {
    const ended = new AbortController()
    const git = createGit('/nowhere', gitOptions({ url: 'https://127.0.0.1/x' }), ended.signal)
    await using server = await listen(() => ended.abort('over'))
    const failed = { kind: 'git-failure', message: 'over', exitCode: undefined }
    expect(await git({ args: ['ls-remote', '--', `ssh://127.0.0.1:${server.port}/x`] })).to.deep.equal(failed)
    expect(await git({ args: ['version'] })).to.deep.equal(failed)
  })

  it('fails as a value when there is no repository', async () => {
    const git = createGit('/nowhere', gitOptions({ url: 'https://127.0.0.1/x' }))
    expect(await git({ args: ['rev-parse', 'HEAD'] })).to.have.property('kind', 'git-failure')
  })

  it('feeds input and returns bytes', async () => {
    const { git, directory } = await open()
    const id = await git({ args: ['hash-object', '-w', '--stdin'], input: 'policy' })
    expect(String(id).trim()).to.match(/^[0-9a-f]{40}$/)
    expect(readFileSync(join(directory, 'HEAD'), 'utf8')).to.match(/^ref:/)
  })
})
