import { writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { expect } from 'chai'
import { follow, login, noticesOf, until } from '../../support/followed-provider.ts'
import { signer } from '../../support/forge.ts'
import { uris } from '../../support/hospital.ts'
import { createProviderKey, startProvider, tokenBy } from '../../support/provider.ts'
import { chainNow } from '../../support/running-app.ts'

const [first, second, third] = [createProviderKey(), createProviderKey(), createProviderKey()]
const unknown = { code: 'token_key_unknown', httpStatus: 503 }

describe('server/provider-keys, a provider that rotates', () => {
  it('takes tokens of a key that the provider has just begun to use, at the first attempt', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider)
    expect(await login(running, tokenBy(first))).to.include({ code: 'ok' })
    provider.keys = [first, second]
    expect(await login(running, tokenBy(second))).to.include({ code: 'ok' })
    expect(provider.asked).to.deep.equal(['/jwks', '/jwks'])
  })

  it('fetches once for all logins that a rotation meets at once', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider)
    provider.keys = [second]
    const logins = await Promise.all(Array.from({ length: 100 }, () => login(running, tokenBy(second))))
    expect(logins.filter(({ code }) => code !== 'ok')).to.deep.equal([])
    expect(provider.asked.length).to.be.within(2, 3)
  })

  it('believes a key no more that the provider has withdrawn', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider)
    provider.keys = [second]
    expect(await login(running, tokenBy(second))).to.include({ code: 'ok' })
    expect(await login(running, tokenBy(first))).to.include(unknown)
  })

  it('follows without a login', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider, { everyMs: 20 })
    provider.keys = [second]
    await until(() => provider.asked.length > 3)
    const before = provider.asked.length
    expect(await login(running, tokenBy(second))).to.include({ code: 'ok' })
    expect(provider.asked.length).to.be.lessThan(before + 5)
  })

  it('remembers a key that a fetch did not bring, says when to try again, and learns of it at the next fetch', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider, { everyMs: 1500 })
    const answers = [await login(running, tokenBy(second)), await login(running, tokenBy(second))]
    for (const answer of answers) expect(answer).to.deep.equal({ ...unknown, retryAfter: '60' })
    expect(provider.asked).to.have.length(2)
    provider.keys = [second]
    await until(async () => (await login(running, tokenBy(second))).code === 'ok')
  })

  it('lets three fetches follow each other, and then waits', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider)
    for (let attempt = 0; attempt < 6; attempt++)
      expect(await login(running, tokenBy(createProviderKey()))).to.include(unknown)
    expect(provider.asked).to.have.length(4)
    expect(await login(running, tokenBy(first))).to.include({ code: 'ok' })
  })

  it('fetches for no token that is wrong in anything else', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider)
    const now = Math.floor(Date.now() / 1000)
    const wrong = [
      { iss: 'https://elsewhere.example' },
      { aud: 'account' },
      { iat: now - 900, exp: now - 600 },
      { azp: 'another-client' },
      { typ: 'ID' },
      { sid: undefined },
      { groups: 'billing' },
      { cnf: { jkt: 'a' } },
    ]
    for (const claims of wrong)
      expect(await login(running, tokenBy(second, claims)), JSON.stringify(claims)).to.include({
        code: 'token_invalid',
        httpStatus: 403,
      })
    const hs256 = { jwk: { alg: 'HS256', kid: 'unheard-of' }, sign: signer('hospital-idp') }
    expect(await login(running, tokenBy(hs256))).to.include({ code: 'token_invalid' })
    expect(provider.asked).to.have.length(1)
  })

  it('takes no token of a provider by the key of another, whatever `kid` it has', async () => {
    const [ours, theirs] = [createProviderKey('shared'), createProviderKey('shared')]
    await using provider = await startProvider(ours)
    await using running = await follow(provider)
    expect(await login(running, tokenBy(theirs))).to.include({ code: 'token_invalid', httpStatus: 403 })
    expect(await login(running, tokenBy(ours))).to.include({ code: 'ok' })
  })

  for (const [name, keys] of [
    ['nothing', []],
    ['a key for encryption alone', [{ ...first, jwk: { ...first.jwk, use: 'enc' } }]],
    ['a shared secret', [{ ...first, jwk: { kty: 'oct', kid: first.jwk['kid'], k: 'c2VjcmV0' } }]],
  ] as const) {
    it(`keeps the last good set when the provider's shrinks to ${name}, and says so`, async () => {
      await using provider = await startProvider(first)
      await using running = await follow(provider, { everyMs: 20 })
      provider.keys = keys
      await until(async () => (await noticesOf(running)).join().includes('not in force'))
      expect((await noticesOf(running)).join())
        .to.include('`users.0.keys`')
        .and.to.include(provider.jwksUrl)
      expect(await login(running, tokenBy(first))).to.include({ code: 'ok' })
      provider.keys = [first, third]
      await until(async () => (await noticesOf(running)).length === 0)
    })
  }

  it('believes a key no more once its private half is published', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider, { everyMs: 20 })
    provider.keys = [{ ...first, jwk: { ...first.jwk, d: first.jwk['x'] } }]
    await until(async () => (await login(running, tokenBy(first))).code === 'token_invalid')
    expect((await noticesOf(running)).join()).to.include('private half')
  })

  it('believes no set that is older than `maxStaleness`', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider, { everyMs: 50, maxStalenessMs: 400 })
    provider.answers.set('/jwks', fail)
    expect(await login(running, tokenBy(first))).to.include({ code: 'ok' })
    await until(async () => (await login(running, tokenBy(first))).code === 'token_key_unknown')
    expect((await noticesOf(running)).join()).to.include('`maxStaleness`')
    provider.answers.clear()
    await until(async () => (await login(running, tokenBy(first))).code === 'ok')
  })
})

describe('server/provider-keys, a provider that fails', () => {
  const failures: readonly (readonly [string, (response: ServerResponse) => void])[] = [
    ['answers 500', fail],
    ['answers 404', (response) => response.writeHead(404).end()],
    ['redirects', (response) => response.writeHead(302, { location: '/elsewhere' }).end()],
    ['has more than 256 KiB', (response) => response.end(`{"keys":[],"x":"${'x'.repeat(256 * 1024)}"}`)],
    ['compresses unasked', (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')],
    ['hangs up', (response) => response.destroy()],
    [
      'hangs up in the middle',
      (response) => response.writeHead(200, { 'content-length': 99 }).write('{') && response.destroy(),
    ],
    ['sends other bytes than UTF-8', (response) => response.end(Buffer.from([0x7b, 0xff, 0x7d]))],
    ['sends a web page', (response) => response.end('<html></html>')],
    ['names a member twice', (response) => response.end('{"keys":[],"keys":[]}')],
  ]
  for (const [name, answer] of failures) {
    it(`starts while the provider ${name}, refuses its logins, and mends itself`, async () => {
      await using provider = await startProvider(first)
      provider.answers.set('/jwks', answer)
      await using running = await follow(provider, { everyMs: 200 })
      expect(await login(running, tokenBy(first))).to.include(unknown)
      const notices = await noticesOf(running)
      expect(notices[0]).to.include('no keys yet')
      expect(notices[1]).to.include('`users.0.keys`').and.to.include(provider.jwksUrl)
      provider.answers.delete('/jwks')
      provider.answers.set('/elsewhere', (response) => response.end('{"keys":[]}'))
      await until(async () => (await login(running, tokenBy(first))).code === 'ok')
      expect(provider.asked).not.to.include('/elsewhere')
      expect(await noticesOf(running)).to.deep.equal([])
    })
  }

  it('believes no server that its CA does not vouch for', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider, { ca: undefined })
    expect(await login(running, tokenBy(first))).to.include(unknown)
    expect(provider.asked).to.deep.equal([])
    expect((await noticesOf(running)).join()).to.match(/self-signed|certificate/)
  })

  it('says which file of CAs cannot be read, and goes on with the last good set', async () => {
    await using provider = await startProvider(first)
    await using running = await follow({ ...provider, ca: '/nowhere/ca.pem' })
    expect((await noticesOf(running)).join())
      .to.include('`users.0.keys.ca`')
      .and.to.include('/nowhere/ca.pem')
  })

  it('answers a login in time while the provider hangs, and everybody else at once', async () => {
    await using provider = await startProvider(first)
    await using running = await follow(provider, {}, { deadlineMs: 1000 })
    expect(await login(running, tokenBy(first))).to.include({ code: 'ok' })
    provider.answers.set('/jwks', () => {})
    const flood = Array.from({ length: 300 }, (_, index) =>
      login(running, tokenBy(second, { jti: `flood-${index}` })),
    )
    await until(() => provider.asked.length === 2)
    const others = await Promise.all([
      login(running, tokenBy(first)),
      running.ask({ peer: uris.agentD, headers: { 'actor-chain': chainNow() } }),
    ])
    expect(others[0]).to.include({ code: 'ok' })
    expect(others[1]).to.include({ kind: 'ok' })
    const answered = await Promise.all(flood)
    for (const answer of answered) expect(answer).to.include(unknown)
    expect(provider.asked).to.have.length(2)
  })
})

describe('server/provider-keys, a first set', () => {
  it('serves a seed while the provider is down, as long as it is young', async () => {
    await using provider = await startProvider(first)
    provider.answers.set('/jwks', fail)
    const seed = await seedOf([first.jwk])
    await using running = await follow(provider, { seed })
    expect(await login(running, tokenBy(first))).to.include({ code: 'ok' })
    expect((await noticesOf(running)).join()).to.include('not followed')
  })

  it('never serves a seed while the provider answers', async () => {
    await using provider = await startProvider(second)
    await using running = await follow(provider, { seed: await seedOf([first.jwk]) })
    expect(await login(running, tokenBy(first))).to.include(unknown)
    expect(await login(running, tokenBy(second))).to.include({ code: 'ok' })
  })
})

async function seedOf(keys: readonly object[]): Promise<string> {
  const { temporaryDirectory } = await import('../../support/temporary-directory.ts')
  const path = `${temporaryDirectory()}/seed.json`
  await writeFile(path, JSON.stringify({ keys }))
  return path
}

function fail(response: ServerResponse): void {
  response.writeHead(500).end()
}
