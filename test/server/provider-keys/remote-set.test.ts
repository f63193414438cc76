import { stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { RemoteKeys } from '../../../src/config/key-source.ts'
import { elapsedMs } from '../../../src/server/by-deadline.ts'
import { keepSet, readKept } from '../../../src/server/provider-keys/kept-set.ts'
import { RemoteSet } from '../../../src/server/provider-keys/remote-set.ts'
import { until } from '../../support/followed-provider.ts'
import { createProviderKey, type Provider, startProvider } from '../../support/provider.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const issuer = 'https://idp.hospital.example/realms/hospital'
const [first, second] = [createProviderKey(), createProviderKey()]
const dayMs = 86_400_000

function create({ jwksUrl, ca }: Provider, overlay: Partial<RemoteKeys> = {}): RemoteSet {
  const source: RemoteKeys = {
    kind: 'remote',
    url: jwksUrl,
    discovery: undefined,
    ca,
    everyMs: 3_600_000,
    cooldownMs: 60_000,
    keep: undefined,
    seed: undefined,
    maxStalenessMs: dayMs,
    ...overlay,
  }
  const clocks = { nowMs: Date.now, elapsedMs }
  return new RemoteSet({ name: 'hospital', issuer, key: 'users.0.keys', source, onNews: () => {}, ...clocks })
}

const textOf = (...keys: readonly (typeof first)[]) => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })

function breakDown(provider: Provider): void {
  provider.answers.set('/jwks', (response) => response.writeHead(503).end())
}

describe('server/provider-keys/remote-set', () => {
  it('keeps the last good set, and serves it after a start while the provider is down', async () => {
    const keep = join(temporaryDirectory(), 'keys.json')
    await using provider = await startProvider(first)
    {
      await using before = create(provider, { keep })
      await before.start(2000)
    }
    expect((await stat(keep)).mode & 0o777).to.equal(0o600)
    breakDown(provider)
    await using after = create(provider, { keep })
    await after.start(2000)
    expect(after.state().set).to.have.property('text', textOf(first))
    expect(after.state().notices.join()).to.include('answered 503')
  })

  it('never serves what was kept while the provider answers: a key of it may have been withdrawn', async () => {
    const keep = join(temporaryDirectory(), 'keys.json')
    await using provider = await startProvider(second)
    const source = provider.jwksUrl
    await keepSet(keep, { text: textOf(first, second), readAtMs: Date.now() - 1000 }, { issuer, source })
    await using set = create(provider, { keep })
    const served: (string | undefined)[] = []
    set.onChange(() => served.push(set.state().set?.text))
    await set.start(2000)
    expect(new Set(served)).to.deep.equal(new Set([textOf(second)]))
    await until(async () => {
      const kept = await readKept(keep, { issuer, source }, Date.now(), dayMs)
      return kept !== undefined && 'text' in kept && kept.text === textOf(second)
    })
  })

  for (const { name, ageMs = 0, kept, says } of [
    { name: 'too old', ageMs: dayMs + 60_000, kept: {}, says: '`maxStaleness`' },
    { name: 'of another provider', kept: { issuer: 'https://elsewhere.example' }, says: 'elsewhere' },
    { name: 'without a usable key', kept: { text: '{"keys":[]}' }, says: 'expected a key' },
  ]) {
    it(`does not serve a kept set that is ${name}, and says why`, async () => {
      const keep = join(temporaryDirectory(), 'keys.json')
      await using provider = await startProvider(first)
      breakDown(provider)
      const { text = textOf(first), issuer: of = issuer } = kept
      await keepSet(keep, { text, readAtMs: Date.now() - ageMs }, { issuer: of, source: provider.jwksUrl })
      await using set = create(provider, { keep })
      await set.start(2000)
      expect(set.state().set).to.equal(undefined)
      const notices = set.state().notices.join()
      expect(notices).to.include('no keys yet').and.to.include('`users.0.keys.keep`').and.to.include(says)
    })
  }

  it('serves what was kept before the seed, and a seed no longer than its time stamp allows', async () => {
    const directory = temporaryDirectory()
    const [keep, seed] = [join(directory, 'keys.json'), join(directory, 'seed.json')]
    await using provider = await startProvider(first)
    breakDown(provider)
    await writeFile(seed, textOf(first))
    await using seeded = create(provider, { keep, seed })
    await seeded.start(2000)
    expect(seeded.state().set).to.have.property('text', textOf(first))
    const of = { issuer, source: provider.jwksUrl }
    await keepSet(keep, { text: textOf(second), readAtMs: Date.now() }, of)
    await using restored = create(provider, { keep, seed })
    await restored.start(2000)
    expect(restored.state().set).to.have.property('text', textOf(second))
    const old = Date.now() / 1000 - 2 * 86_400
    await utimes(seed, old, old)
    await using late = create(provider, { seed })
    await late.start(2000)
    expect(late.state().set).to.equal(undefined)
    expect(late.state().notices.join()).to.include('`users.0.keys.seed`').and.to.include('`maxStaleness`')
  })

  it('says that the last good set cannot be kept, and serves it', async () => {
    await using provider = await startProvider(first)
    await using set = create(provider, { keep: '/nowhere/keys.json' })
    await set.start(2000)
    await until(() => set.state().notices.length > 0)
    expect(set.state().notices.join()).to.include('`users.0.keys.keep`').and.to.include('/nowhere/keys.json')
    expect(set.state().set).to.have.property('text', textOf(first))
  })

  it('does not hold up a start for a provider that hangs, nor an end', async () => {
    await using provider = await startProvider(first)
    provider.answers.set('/jwks', () => {})
    const startedMs = performance.now()
    {
      await using set = create(provider)
      await set.start(50)
      expect(set.state().set).to.equal(undefined)
    }
    expect(performance.now() - startedMs).to.be.lessThan(2000)
  })

  it('takes a fetch under way for no answer about a key, and makes another', async () => {
    await using provider = await startProvider(first)
    await using set = create(provider)
    await set.start(2000)
    let answer = (): void => {}
    provider.answers.set('/jwks', (response) => {
      answer = () => response.end(textOf(first))
      provider.answers.clear()
    })
    const early = set.fetchKey(String(second.jwk['kid']))
    await until(() => provider.asked.length === 2)
    provider.keys = [second]
    const later = [set.fetchKey(String(second.jwk['kid'])), set.fetchKey(String(second.jwk['kid']))]
    answer()
    expect(await early).to.deep.equal({ kind: 'lacking' })
    expect(await Promise.all(later)).to.deep.equal([{ kind: 'brought' }, { kind: 'brought' }])
    expect(provider.asked).to.have.length(3)
  })

  it('says of a key that nothing could be fetched', async () => {
    await using provider = await startProvider(first)
    await using set = create(provider)
    await set.start(2000)
    breakDown(provider)
    expect(await set.fetchKey('another')).to.deep.equal({ kind: 'failed' })
  })
})
