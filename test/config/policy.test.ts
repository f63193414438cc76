import { expect } from 'chai'
import { isProblems } from '../../src/base/model/problems.ts'
import { type Config, parseConfig } from '../../src/config/config.ts'
import { settings } from '../support/settings.ts'

function parse(policy: string): Config['policy'] | readonly string[] {
  const parsed = parseConfig(
    '/etc/waywarden/waywarden.yaml',
    settings.replace(/^policy: .*$/m, `policy: ${policy}`),
    new Map(),
  )
  return isProblems(parsed) ? parsed.problems.map(({ path }) => path) : parsed.policy
}

describe('config/policy', () => {
  it('makes paths absolute, names units and fills in the strict defaults', () => {
    const keys =
      'url: "ssh://git@host/p.git", directory: ./copy, knownHosts: hosts, sshKey: /keys/id, interval: 30s'
    expect(parse(`{git: {${keys}}, maxStaleness: 1h}`)).to.deep.equal({
      directory: undefined,
      tests: 'required',
      maxStalenessMs: 3_600_000,
      shadow: undefined,
      git: {
        url: 'ssh://git@host/p.git',
        ref: 'main',
        path: '',
        intervalMs: 30_000,
        timeoutMs: 120_000,
        directory: '/etc/waywarden/copy',
        maxBytes: 256 * 1024 * 1024,
        rewrites: 'refuse',
        pinRef: 'refs/waywarden/pin',
        sshKey: '/keys/id',
        knownHosts: '/etc/waywarden/hosts',
        tokenFile: undefined,
        tokenUser: 'x-access-token',
        ca: undefined,
        proxy: undefined,
        proxyAuthFile: undefined,
        allowedSigners: undefined,
      },
    })
  })

  const url = 'url: "https://host/p.git", directory: copy'
  it('follows the shadow with the same repository, credentials and signers, in a place and by a pin of its own', () => {
    const live = parse(`{git: {${url}, allowedSigners: s, tokenFile: t}}`)
    const both = parse(`{git: {${url}, allowedSigners: s, tokenFile: t}, shadow: {ref: stricter}}`)
    if (!('git' in live) || !('git' in both)) throw new TypeError(JSON.stringify([live, both]))
    expect(both.git).to.deep.equal(live.git)
    expect(both.shadow).to.deep.equal({
      directory: undefined,
      git: {
        ...live.git,
        ref: 'stricter',
        directory: '/etc/waywarden/copy.shadow',
        rewrites: 'follow',
        pinRef: 'refs/waywarden/pin-shadow',
      },
      sample: 1,
      perSecond: 50,
    })
  })

  it('judges by another directory, as often as it is told', () => {
    expect(parse('{directory: p, shadow: {directory: q, sample: 0.1, perSecond: 5}}')).to.have.deep.property(
      'shadow',
      {
        directory: '/etc/waywarden/q',
        git: undefined,
        sample: 0.1,
        perSecond: 5,
      },
    )
  })

  const refused: readonly { readonly name: string; readonly policy: string; readonly at: string }[] = [
    { name: 'tests that are half required', policy: '{directory: p, tests: some}', at: 'policy.tests' },
    { name: 'neither a directory nor Git', policy: '{maxStaleness: 1h}', at: 'policy' },
    { name: 'a directory and Git', policy: `{directory: p, git: {${url}}}`, at: 'policy.git' },
    {
      name: 'an ssh host that is not known',
      policy: '{git: {url: "ssh://host/p", directory: c}}',
      at: 'policy.git.url',
    },
    { name: 'an ssh key for https', policy: `{git: {${url}, sshKey: k}}`, at: 'policy.git.sshKey' },
    {
      name: 'a token for a file',
      policy: '{git: {url: "file:///p", directory: c, tokenFile: t}}',
      at: 'policy.git.tokenFile',
    },
    {
      name: 'a proxy for ssh',
      policy: '{git: {url: "ssh://h/p", directory: c, knownHosts: h, proxy: "http://proxy:3128"}}',
      at: 'policy.git.proxy',
    },
    {
      name: 'a password in the address of the proxy',
      policy: `{git: {${url}, proxy: "http://user:hunter2@proxy:3128"}}`,
      at: 'policy.git.proxy',
    },
    {
      name: 'a password for no proxy',
      policy: `{git: {${url}, proxyAuthFile: f}}`,
      at: 'policy.git.proxyAuthFile',
    },
    { name: 'a shadow of nothing', policy: '{directory: p, shadow: {sample: 1}}', at: 'policy.shadow' },
    { name: 'a ref of no repository', policy: '{directory: p, shadow: {ref: b}}', at: 'policy.shadow.ref' },
    {
      name: 'a directory beside Git',
      policy: `{git: {${url}}, shadow: {ref: b, directory: q}}`,
      at: 'policy.shadow.directory',
    },
    {
      name: 'a shadow of what decides',
      policy: `{git: {${url}}, shadow: {ref: main}}`,
      at: 'policy.shadow.ref',
    },
    {
      name: 'a shadow of the directory that decides',
      policy: '{directory: p, shadow: {directory: p}}',
      at: 'policy.shadow.directory',
    },
    {
      name: 'a sample of nothing',
      policy: '{directory: p, shadow: {directory: q, sample: 0}}',
      at: 'policy.shadow.sample',
    },
    {
      name: 'a sample of more than all',
      policy: '{directory: p, shadow: {directory: q, sample: 1.5}}',
      at: 'policy.shadow.sample',
    },
    { name: 'a path out of the repository', policy: `{git: {${url}, path: a/../b}}`, at: 'policy.git.path' },
    { name: 'an absolute path', policy: `{git: {${url}, path: /a}}`, at: 'policy.git.path' },
    { name: 'a pin that is no ref', policy: `{git: {${url}, pinRef: main}}`, at: 'policy.git.pinRef' },
    {
      name: 'a URL that runs a program',
      policy: '{git: {url: "ext::sh", directory: c}}',
      at: 'policy.git.url',
    },
  ]
  for (const { name, policy, at } of refused) {
    it(`refuses ${name}`, () => expect(parse(policy)).to.deep.equal([at]))
  }
})
