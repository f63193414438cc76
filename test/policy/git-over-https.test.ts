import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createGitSource, type GitSourceOptions } from '../../src/policy/source/git-source.ts'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { createRemote, type GitRemote, gitOptions, lookAt, smallRepository } from '../support/git-remote.ts'
import { type HttpsRemote, serveHttps } from '../support/https-remote.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

function fileOf(text: string): string {
  const path = join(temporaryDirectory(), 'file')
  writeFileSync(path, text)
  return path
}

describe('policy/source/git-process, over https', () => {
  let remote: GitRemote
  let commit = ''
  let server: HttpsRemote
  beforeEach(async () => {
    remote = createRemote(smallRepository)
    commit = remote.git('rev-parse', 'HEAD')
    server = await serveHttps(remote, 'x-access-token:right')
  })
  afterEach(() => server[Symbol.asyncDispose]())
  const look = (overlay: Partial<GitSourceOptions>) => {
    const access = { ca: server.certificate, tokenFile: fileOf('right\n') }
    return lookAt(createGitSource(gitOptions(server, { ...access, ...overlay })))
  }

  it('takes the token from its file, anew for each look', async () => {
    const tokenFile = fileOf('wrong\n')
    const source = createGitSource(gitOptions(server, { ca: server.certificate, tokenFile }))
    expect((await source.look()).kind).to.equal('failed')
    writeFileSync(tokenFile, 'right\n')
    expect(await lookAt(source)).to.equal(commit)
  })

  it('believes the configured CA alone', async () => {
    expect(await look({})).to.equal(commit)
    expect(await look({ ca: undefined })).to.match(/certificate/)
  })

  it('goes through the proxy, which sees where to and nothing else', async () => {
    await using proxy = await startConnectProxy('clerk@bank:p:ss/w%rd')
    const proxyAuthFile = fileOf('clerk@bank:p:ss/w%rd\n')
    expect(await look({ proxy: proxy.url, proxyAuthFile })).to.equal(commit)
    expect(new Set(proxy.asked.map(({ target }) => target))).to.deep.equal(
      new Set([new URL(server.url).host]),
    )
    // The token is for the remote alone.
    expect(proxy.asked.filter(({ headers }) => headers.authorization !== undefined)).to.deep.equal([])
  })

  it('takes no proxy from the environment', async () => {
    await using proxy = await startConnectProxy()
    const names = ['https_proxy', 'HTTPS_PROXY', 'ALL_PROXY']
    for (const name of names) process.env[name] = proxy.url
    try {
      expect(await look({})).to.equal(commit)
    } finally {
      for (const name of names) delete process.env[name]
    }
    expect(proxy.asked).to.deep.equal([])
  })

  it('never goes around a proxy that does not answer', async () => {
    expect(await look({ proxy: 'http://127.0.0.1:9' })).to.match(/connect to 127\.0\.0\.1 port 9/)
  })

  const refusals: readonly {
    readonly name: string
    readonly file: string | undefined
    readonly says: RegExp
  }[] = [
    { name: 'a wrong password', file: 'clerk:wrong-s3cret', says: /proxyAuthFile/ },
    { name: 'no password', file: undefined, says: /proxyAuthFile/ },
    { name: 'a file without a password', file: 's3cret', says: /expected `user:password`/ },
  ]
  for (const { name, file, says } of refusals) {
    it(`says what to do about ${name} for the proxy, and not what was tried`, async () => {
      await using proxy = await startConnectProxy('clerk:right')
      const proxyAuthFile = file === undefined ? undefined : fileOf(file)
      const said = await look({ proxy: proxy.url, proxyAuthFile })
      expect(said).to.match(says, said).and.not.contain('s3cret')
    })
  }
})
