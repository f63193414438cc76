import { expect } from 'chai'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { parseGitProxy, parseGitRef, parseGitUrl } from '../../src/config/git-values.ts'

const isRefused = (parsed: ReturnType<typeof parseGitUrl>) => typeof parsed !== 'string' && isInvalid(parsed)

describe('config/git-values', () => {
  for (const url of [
    'https://git.hospital.example/team/policies.git',
    'https://git.hospital.example:8443/policies',
    'ssh://git@git.hospital.example/policies.git',
    'ssh://git.hospital.example:2222/~team/policies.git',
    'file:///srv/policies.git',
  ])
    it(`takes the URL ${url}`, () => expect(parseGitUrl(url)).to.equal(url))

  for (const url of [
    '',
    '--upload-pack=touch /tmp/x',
    'ext::sh -c touch% /tmp/x',
    'http://git.hospital.example/p.git',
    'git://git.hospital.example/p.git',
    'git@git.hospital.example:p.git',
    '/srv/policies.git',
    'https://user:password@git.hospital.example/p.git',
    'https://git.hospital.example/p.git?x=1',
    'https://git.hospital.example',
    'ssh://-oProxyCommand=x/p.git',
    'ssh://-l@git.hospital.example/p.git',
    'file://host/p.git',
    'https://git.hospital.example/p.git\n--x',
  ])
    it(`refuses the URL ${JSON.stringify(url)}`, () => expect(isRefused(parseGitUrl(url))).to.equal(true))

  it('keeps a password that it refuses to itself', () => {
    expect(JSON.stringify(parseGitUrl('https://user:hunter2@git.hospital.example/p.git'))).to.not.contain(
      'hunter2',
    )
  })

  for (const proxy of ['http://proxy.hospital.example:3128', 'http://10.0.0.1', 'http://proxy:3128/'])
    it(`takes the proxy ${proxy}`, () => expect(parseGitProxy(proxy)).to.equal(proxy))

  for (const proxy of [
    '',
    'proxy:3128',
    'https://proxy:3128',
    'socks5://proxy',
    'http://proxy/x',
    'http://-x',
  ])
    it(`refuses the proxy ${JSON.stringify(proxy)}`, () =>
      expect(isRefused(parseGitProxy(proxy))).to.equal(true))

  it('keeps the password of a proxy to itself', () => {
    const refused = parseGitProxy('http://user:hunter2@proxy:3128')
    expect(isRefused(refused)).to.equal(true)
    expect(JSON.stringify(refused)).to.not.contain('hunter2')
  })

  for (const ref of [
    'main',
    'release/1.2',
    'v1.0-rc+1',
    'refs/tags/v1',
    'refs/heads/main',
    'a'.repeat(40),
    'b'.repeat(64),
  ])
    it(`takes the ref ${ref}`, () => expect(parseGitRef(ref)).to.equal(ref))

  for (const ref of [
    '',
    '-x',
    '--mirror',
    'a..b',
    'a b',
    'a:b',
    '+main',
    'main~1',
    'main^',
    '@{u}',
    'a.lock',
    'a/',
    'a//b',
    '/a',
    'a/.b',
    '*',
  ])
    it(`refuses the ref ${JSON.stringify(ref)}`, () => expect(isRefused(parseGitRef(ref))).to.equal(true))
})
