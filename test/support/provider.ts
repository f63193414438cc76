import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { resolve } from 'node:path'
import { forge, type Signer } from './forge.ts'
import { accessClaims } from './hospital.ts'

/** A key of the stand-in: what it publishes, and what it signs with. */
export type ProviderKey = { readonly jwk: Readonly<Record<string, unknown>>; readonly sign: Signer }

/** An identity provider on loopback: it publishes what it is told to, and counts who asks. */
export type Provider = AsyncDisposable & {
  /** `https://127.0.0.1:port`. */
  readonly origin: string
  readonly jwksUrl: string
  /** PEM file of the CA that vouches for it. */
  readonly ca: string
  /** The keys of the JWK Set; replaced to rotate. */
  keys: readonly ProviderKey[]
  /** Answers instead of the usual ones, by path. */
  readonly answers: Map<string, (response: ServerResponse) => void>
  /** Paths that were asked for, in their order. */
  readonly asked: string[]
}

const files = 'test/support/keys'

/** A new ES256 key; its `kid` is its thumbprint's beginning, unless one is given. */
export function createProviderKey(given?: string): ProviderKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  const kid = given ?? createHash('sha256').update(`${x}.${y}`).digest('hex').slice(0, 16)
  return {
    jwk: { kid, alg: 'ES256', use: 'sig', kty, crv, x, y },
    sign: (input) => sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  }
}

/** The clerk's access token of this moment, signed with a key; claims overlaid. */
export function tokenBy(
  { jwk, sign: signIt }: ProviderKey,
  overlay: Readonly<Record<string, unknown>> = {},
): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { ...accessClaims, iat: now - 60, exp: now + 240, auth_time: now - 600, ...overlay }
  return forge({ alg: jwk['alg'], kid: jwk['kid'], typ: 'at+jwt' }, claims, signIt)
}

/** Starts a provider with these keys. */
export async function startProvider(...keys: readonly ProviderKey[]): Promise<Provider> {
  const ca = resolve(`${files}/loopback-tls.crt.pem`)
  const asked: string[] = []
  const answers: Provider['answers'] = new Map()
  const server = createServer(
    { key: readFileSync(`${files}/loopback-tls.key.pem`), cert: readFileSync(ca) },
    ({ url = '/' }, response) => {
      asked.push(url)
      const answer = answers.get(url)
      if (answer !== undefined) answer(response)
      else if (url === '/jwks') response.end(JSON.stringify({ keys: provider.keys.map(({ jwk }) => jwk) }))
      else response.writeHead(404).end()
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const origin = `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const provider: Provider = {
    origin,
    jwksUrl: `${origin}/jwks`,
    ca,
    keys,
    answers,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
  return provider
}
