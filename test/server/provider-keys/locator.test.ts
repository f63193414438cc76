import { expect } from 'chai'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { readDocument } from '../../../src/server/provider-keys/locator.ts'
import { follow, login, noticesOf, until } from '../../support/followed-provider.ts'
import { hospitalIdp } from '../../support/hospital.ts'
import { createProviderKey, type Provider, startProvider, tokenBy } from '../../support/provider.ts'

const path = '/.well-known/openid-configuration'
const [first, second] = [createProviderKey(), createProviderKey()]

/** Lets the stand-in publish this document. */
function publish(provider: Provider, document: object): void {
  provider.answers.set(path, (response) => response.end(JSON.stringify(document)))
}

async function startDiscoverable(): Promise<Provider> {
  const provider = await startProvider(first)
  publish(provider, { issuer: hospitalIdp, jwks_uri: provider.jwksUrl, userinfo_endpoint: 7 })
  return provider
}

function discover(provider: Provider, overlay: Parameters<typeof follow>[1] = {}) {
  const discovery = { issuer: hospitalIdp, origins: [provider.origin] }
  return follow(provider, { url: `${provider.origin}${path}`, discovery, ...overlay })
}

describe('server/provider-keys/locator', () => {
  it('finds the keys in the document, and asks for the keys alone when a login misses one', async () => {
    await using provider = await startDiscoverable()
    await using running = await discover(provider)
    expect(await login(running, tokenBy(first))).to.include({ code: 'ok' })
    provider.keys = [second]
    expect(await login(running, tokenBy(second))).to.include({ code: 'ok' })
    expect(provider.asked).to.deep.equal([path, '/jwks', '/jwks'])
  })

  it('follows a provider that moves its keys', async () => {
    await using provider = await startDiscoverable()
    await using running = await discover(provider, { everyMs: 40 })
    publish(provider, { issuer: hospitalIdp, jwks_uri: `${provider.origin}/moved` })
    const keys = JSON.stringify({ keys: [second.jwk] })
    provider.answers.set('/moved', (response) => response.end(keys))
    provider.answers.set('/jwks', (response) => response.writeHead(404).end())
    await until(async () => (await login(running, tokenBy(second))).code === 'ok')
    expect(provider.asked).to.include('/moved')
  })

  const lies: readonly (readonly [string, (origin: string) => object, RegExp])[] = [
    ['another issuer', (origin) => ({ issuer: `${hospitalIdp}/`, jwks_uri: `${origin}/jwks` }), /letter by/],
    ['no issuer', (origin) => ({ jwks_uri: `${origin}/jwks` }), /letter by letter/],
    ['keys elsewhere', () => ({ issuer: hospitalIdp, jwks_uri: 'https://evil.example/jwks' }), /origin/],
    [
      'keys at another port',
      () => ({ issuer: hospitalIdp, jwks_uri: 'https://127.0.0.1:1/jwks' }),
      /another origin/,
    ],
    [
      'keys by http',
      (origin) => ({ issuer: hospitalIdp, jwks_uri: `${origin.replace('https', 'http')}/jwks` }),
      /https URL/,
    ],
    ['no keys', () => ({ issuer: hospitalIdp }), /`jwks_uri` to be a URL/],
    [
      'any tenant',
      (origin) => ({ issuer: 'https://idp.example/{tenantid}/v2.0', jwks_uri: `${origin}/jwks` }),
      /id of your tenant/,
    ],
  ]
  for (const [name, document, reason] of lies) {
    it(`believes no document that names ${name}, says why, and keeps the last good set`, async () => {
      await using provider = await startDiscoverable()
      await using running = await discover(provider, { everyMs: 40 })
      publish(provider, document(provider.origin))
      await until(async () => (await noticesOf(running)).join().includes('not in force'))
      const notices = (await noticesOf(running)).join()
      expect(notices).to.match(reason).and.to.include('`users.0.keys`').and.to.include(path)
      expect(await login(running, tokenBy(first))).to.include({ code: 'ok' })
      publish(provider, { issuer: hospitalIdp, jwks_uri: provider.jwksUrl })
      await until(async () => (await noticesOf(running)).length === 0)
    })
  }

  const discovery = { issuer: hospitalIdp, origins: ['https://idp.hospital.example', 'https://keys.example'] }
  for (const { text, url } of [
    {
      text: { issuer: hospitalIdp, jwks_uri: 'https://keys.example/a?b=c' },
      url: 'https://keys.example/a?b=c',
    },
    { text: { issuer: hospitalIdp, jwks_uri: 'https://idp.hospital.example:443/a' }, url: undefined },
    { text: { issuer: hospitalIdp, jwks_uri: 'https://user@keys.example/a' }, url: 'refused' },
    { text: { issuer: hospitalIdp, jwks_uri: 'https://keys.example.evil.example/a' }, url: 'refused' },
    { text: { issuer: hospitalIdp, jwks_uri: ['https://keys.example/a'] }, url: 'refused' },
    { text: [hospitalIdp], url: 'refused' },
  ]) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const place = readDocument(JSON.stringify(text), discovery)
      const found = isInvalid(place) ? 'refused' : place.url
      expect(found).to.equal(url ?? text.jwks_uri)
    })
  }

  it('believes no document that says a member twice', () => {
    const text = `{"issuer":"${hospitalIdp}","jwks_uri":"https://keys.example/a","jwks_uri":"https://keys.example/b"}`
    expect(isInvalid(readDocument(text, discovery))).to.equal(true)
  })
})
