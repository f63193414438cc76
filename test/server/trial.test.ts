import { readFileSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { isProblems } from '../../src/base/model/problems.ts'
import { type Config, parseConfig } from '../../src/config/config.ts'
import { startApp } from '../../src/server/app.ts'
import { type Trial, type TrialOptions, tryConfig } from '../../src/server/trial.ts'
import { brokenConfigurations, issue, withTls } from '../support/broken-configurations.ts'
import { createRemote } from '../support/git-remote.ts'
import { createProviderKey, startProvider } from '../support/provider.ts'
import { writeTestFiles } from '../support/running-app.ts'
import { settings } from '../support/settings.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** Remarks that only `config check` makes, because a running process does not know Envoy's own timeout. */
const remark = /^`deadline` is /
/** A running process says since when; a trial has only the present. */
const withoutTime = (text: string): string => text.replace(/ \(since \S+\)$/, '')

describe('server/trial', function () {
  this.timeout(60_000)

  for (const {
    name,
    edit = (text: string) => text,
    spoil,
    problems = [],
    notices = [],
  } of brokenConfigurations) {
    it(`says the same before the start as at it: ${name}`, async () => {
      const directory = temporaryDirectory()
      await writeTestFiles(directory)
      await chmod(join(directory, 'keys/active.jwk.json'), 0o600)
      await spoil?.(directory)
      const config = parse(join(directory, 'waywarden.yaml'), edit(settings))
      const tried = await tryAll(config)
      const served = await serve(config, tried.problems.length)
      expect(tried.problems).to.deep.equal(served.problems.map(withoutTime))
      if (problems.length === 0)
        expect(tried.notices.filter((text) => !remark.test(text))).to.deep.equal(served.notices)
      expectTexts(tried.problems, problems)
      expectTexts(
        tried.notices.filter((text) => !remark.test(text)),
        notices,
      )
    })
  }

  it('remarks on a deadline that Envoy does not wait for', async () => {
    const directory = temporaryDirectory()
    await writeTestFiles(directory)
    const config = parse(join(directory, 'waywarden.yaml'), settings)
    const { problems, notices } = await tryAll(config)
    expect(problems).to.deep.equal([])
    expectTexts(notices, [/`deadline` is 10000 ms, and Envoy waits 250 ms/])
  })

  it('writes nothing beside the configuration, and leaves nothing behind', async () => {
    const directory = temporaryDirectory()
    await writeTestFiles(directory)
    await tryAll(parse(join(directory, 'waywarden.yaml'), settings))
    expect(() => readFileSync(join(directory, 'audit'))).to.throw(/ENOENT/)
  })

  it('goes without secrets where they are not at hand, and says so', async () => {
    const directory = temporaryDirectory()
    await writeTestFiles(directory)
    issue(directory, 'partner.example')
    await rm(join(directory, 'keys'), { recursive: true })
    await rm(join(directory, 'tls.key'))
    const config = parse(join(directory, 'waywarden.yaml'), withTls(settings))
    const { problems, untried } = await tryConfig(config, {
      readsSecrets: false,
      fetchesGit: false,
      fetchesKeys: false,
      nowMs: Date.now(),
    })
    expectTexts(problems, [/clientCa.*partner\.example/])
    expectTexts(untried, [/`--no-secrets`.*`chain\.keys`, `listeners\.0\.tls\.key`/])
  })

  it('asks Git only when it is told to, in a directory of its own', async () => {
    const directory = temporaryDirectory()
    await writeTestFiles(directory)
    const remote = createRemote({ 'services.yaml': 'services: 7\n' })
    const git = `policy: {git: {url: '${remote.url}', directory: ./copy}}`
    const config = parse(join(directory, 'waywarden.yaml'), settings.replace(/^policy: .*$/m, git))
    const shallow = await tryAll(config)
    expect(shallow.problems).to.deep.equal([])
    expectTexts(shallow.untried, [/the policies of .*: `--git` fetches/])
    const deep = await tryConfig(config, {
      readsSecrets: true,
      fetchesGit: true,
      fetchesKeys: false,
      nowMs: Date.now(),
    })
    expectTexts(deep.problems, [/no policy revision serves/, /services\.yaml:1/])
    expect(() => readFileSync(join(directory, 'copy'))).to.throw(/ENOENT/)
  })

  const fetched = (keys: string) =>
    settings.replace('jwks: ./idp-jwks.json', `keys: {${keys}, keep: ./kept.json}`)

  it('asks identity providers only when it is told to, and writes nothing to `keep`', async () => {
    const directory = temporaryDirectory()
    await writeTestFiles(directory)
    await using provider = await startProvider(createProviderKey('one'), createProviderKey('two'))
    const keys = `url: '${provider.jwksUrl}', ca: '${provider.ca}'`
    const config = parse(join(directory, 'waywarden.yaml'), fetched(keys))
    const shallow = await tryAll(config)
    expect(shallow).to.deep.include({ problems: [], found: [] })
    expectTexts(shallow.untried, [/the keys of `hospital`, https:.*`--online` fetches/])
    expect(provider.asked).to.deep.equal([])
    const deep = await tryAll(config, { fetchesKeys: true })
    expect(deep).to.deep.include({ problems: [], untried: [] })
    expectTexts(deep.found, [/`users\.0\.keys`: `hospital` has 2 usable keys at .*`one` \(ES256\), `two`/])
    expect(provider.asked).to.deep.equal(['/jwks'])
    expect(() => readFileSync(join(directory, 'kept.json'))).to.throw(/ENOENT/)
  })

  it('says whose logins would be refused, and names keys that cannot be used', async () => {
    const directory = temporaryDirectory()
    await writeTestFiles(directory)
    await using provider = await startProvider(createProviderKey())
    const at = (path: string) => `url: '${provider.origin}${path}', ca: '${provider.ca}'`
    const gone = parse(join(directory, 'waywarden.yaml'), fetched(at('/gone')))
    const { problems } = await tryAll(gone, { fetchesKeys: true })
    expectTexts(problems, [/`users\.0\.keys`: https:.*answered 404.*every login of `hospital`/])
    const odd = { ...createProviderKey('odd'), jwk: { kty: 'EC', crv: 'P-384', kid: 'odd' } }
    provider.keys = [createProviderKey('good'), odd]
    const mixed = parse(join(directory, 'waywarden.yaml'), fetched(at('/jwks')))
    const { found, notices } = await tryAll(mixed, { fetchesKeys: true })
    expectTexts(found, [/has 1 usable key at .*`good`/])
    expect(notices.join()).to.include('`odd`')
  })

  it('names the files of Git that are missing', async () => {
    const directory = temporaryDirectory()
    await writeTestFiles(directory)
    const git =
      "policy: {git: {url: 'ssh://git@host/p.git', directory: ./copy, sshKey: ./id, knownHosts: ./hosts}}"
    const config = parse(join(directory, 'waywarden.yaml'), settings.replace(/^policy: .*$/m, git))
    const { problems } = await tryAll(config)
    expectTexts(problems, [/`policy\.git\.sshKey`: .*\/id: cannot be read/, /`policy\.git\.knownHosts`/])
  })
})

function tryAll(config: Config, overlay: Partial<TrialOptions> = {}): Promise<Trial> {
  const all = { readsSecrets: true, fetchesGit: false, fetchesKeys: false, nowMs: Date.now() }
  return tryConfig(config, { ...all, ...overlay })
}

/** The problems that the start reports before it ends, or /readyz after it, once there are that many. */
async function serve(config: Config, count: number): Promise<Pick<Trial, 'problems' | 'notices'>> {
  try {
    const app = await startApp(config)
    try {
      for (;;) {
        const response = await fetch(`http://${app.addresses.admin}/readyz`)
        const { reasons, notices } = JSON.parse(await response.text())
        // The start does not wait for the tests of policies.
        if (reasons.length >= count) return { problems: reasons, notices }
        await wait(20)
      }
    } finally {
      await app[Symbol.asyncDispose]()
    }
  } catch (error) {
    if (error instanceof Error && 'problems' in error && Array.isArray(error.problems))
      return { problems: error.problems, notices: [] }
    throw error
  }
}

function parse(file: string, text: string): Config {
  const config = parseConfig(file, text, new Map())
  if (isProblems(config)) throw new TypeError(JSON.stringify(config.problems))
  return config
}

function expectTexts(texts: readonly string[], patterns: readonly RegExp[]): void {
  expect(texts.join('\n')).to.satisfy(
    (all: string) => patterns.every((pattern) => pattern.test(all)),
    String(patterns),
  )
  expect(texts).to.have.length(patterns.length)
}
