import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { readJwks, readKey } from './forge.ts'
import { uris } from './hospital.ts'
import { chainNow, tokenNow } from './running-app.ts'
import { settings } from './settings.ts'

/** A request at a waypoint that carries more than anybody may see. */
export type Asked = {
  readonly name: string
  readonly peer: string
  readonly to: string
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
}

/** Secrets that must appear nowhere, generated for each run, and the requests that carry them. */
export type Secrets = {
  readonly texts: Readonly<Record<SecretName, string>>
  readonly tokens: ReadonlyMap<string, string>
  readonly chains: ReadonlyMap<string, string>
  /** The requests: each secret where it belongs, where it does not, and broken. */
  readonly asked: readonly Asked[]
}

const names = [
  'gitToken',
  'proxyPassword',
  'pseudonyms',
  'traceKey',
  'cookie',
  'apiKey',
  'query',
  'opaque',
] as const
type SecretName = (typeof names)[number]

/** Makes secrets that are valid now. */
export function createSecrets(): Secrets {
  const random = (): string => randomBytes(24).toString('hex')
  const texts = Object.fromEntries(names.map((name) => [name, random()])) as Record<SecretName, string>
  texts.proxyPassword += '@/'
  const now = Math.floor(Date.now() / 1000)
  const goodToken = tokenNow()
  const goodChain = chainNow()
  const tokens = new Map([
    ['good', goodToken],
    ['tampered', `${goodToken.slice(0, -8)}AAAAAAAA`],
    ['expired', tokenNow({ iat: now - 7200, exp: now - 3600 })],
    ['for another audience', tokenNow({ aud: 'somebody-else' })],
    ['of a stranger', tokenNow({ iss: 'https://stranger.example' })],
    ['opaque', texts.opaque],
  ])
  const chains = new Map([
    ['good', goodChain],
    ['tampered', `${goodChain.slice(0, -8)}AAAAAAAA`],
    ['truncated', goodChain.slice(0, -20)],
    ['expired', chainNow({ iat: now - 7200, exp: now - 3600 })],
    ['joined', `${goodChain},${goodChain}`],
    ['of another holder', chainNow({ aud: uris.agentR })],
    ['too large', `${goodChain}${'A'.repeat(5000)}`],
  ])
  return { texts, tokens, chains, asked: toAsked(texts, tokens, chains, goodChain) }
}

function toAsked(
  { cookie, apiKey, query, opaque }: Secrets['texts'],
  tokens: Secrets['tokens'],
  chains: Secrets['chains'],
  goodChain: string,
): readonly Asked[] {
  const noise: readonly (readonly [string, string])[] = [
    ['cookie', `session=${cookie}`],
    ['x-api-key', apiKey],
    ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ]
  const ingress = { peer: uris.gateway, to: '10.96.0.4:8080', method: 'POST', path: `/tasks?token=${query}` }
  const path = `/coverage/42?token=${query}`
  const onward = { peer: uris.agentD, to: '10.96.0.10:8080', method: 'GET', path }
  return [
    ...[...tokens].flatMap(([name, token]) => [
      {
        name: `token ${name}`,
        ...ingress,
        headers: [['authorization', `Bearer ${token}`], ...noise] as const,
      },
      {
        name: `token ${name} of an agent`,
        ...onward,
        headers: [['authorization', `Bearer ${token}`], ['actor-chain', goodChain], ...noise] as const,
      },
    ]),
    ...[...chains].map(([name, chain]) => ({
      name: `chain ${name}`,
      ...onward,
      headers: [['actor-chain', chain], ...noise] as const,
    })),
    { name: 'basic', ...ingress, headers: [['authorization', `Basic ${opaque}`]] },
    { name: 'a path that is refused', ...onward, path: '/coverage//42', headers: [] },
    { name: 'a method that is refused', ...onward, method: 'get', headers: [['actor-chain', goodChain]] },
    { name: 'a service that is unknown', ...onward, to: '10.1.1.1:1', headers: [['actor-chain', goodChain]] },
  ]
}

/** A secret that must appear nowhere, and its name. A token's claims tell as much of a user as the token does. */
export function secretsOf(
  { texts, tokens, chains }: Secrets,
  directory: string,
): readonly (readonly [name: string, text: string])[] {
  const { gitToken, proxyPassword, pseudonyms, traceKey, query, cookie, apiKey, opaque } = texts
  const basic = (text: string) => Buffer.from(text).toString('base64')
  const parts = [...tokens, ...chains].flatMap(([name, token]) =>
    token
      .split(/[.,]/)
      // Headers of tokens are no secret, and all alike.
      .filter((part) => part.length > 30 && !part.startsWith('eyJhbGciOi'))
      .map((part) => [`token or chain ${name}`, part.slice(0, 40)] as const),
  )
  const pem = readFileSync(join(directory, 'secrets/log-key'), 'utf8').split('\n')[1] ?? ''
  return [
    ...parts,
    ['the key that signs chains', String(JSON.parse(readKey('chain')).d)],
    ['the key that signs checkpoints', pem],
    ['the secret of the pseudonyms', pseudonyms],
    ['the token for Git', gitToken],
    ['the token for Git, as it is sent', basic(`x-access-token:${gitToken}`)],
    ['the password for the proxy', proxyPassword.slice(0, -2)],
    ['the key of a trace endpoint', traceKey],
    ['a query', query],
    ['a cookie', cookie],
    ['the key in a header', apiKey],
    ['an Authorization of another kind', opaque],
  ]
}

/** Where a Waywarden listens, and what it reaches. */
export type Reached = {
  readonly port: number
  readonly adminPort: number
  readonly url: string
  readonly ca: string
  readonly proxy: string
  readonly traces: string
}

/** The configuration with the most secrets and the most output. */
export function writeInputs(
  { texts: { gitToken, proxyPassword, pseudonyms, traceKey } }: Secrets,
  directory: string,
  { port, adminPort, url, ca, proxy, traces }: Reached,
): void {
  mkdirSync(join(directory, 'secrets/keys'), { recursive: true })
  const inputs: ReadonlyMap<string, string> = new Map([
    ['secrets/keys/active.jwk.json', readKey('chain')],
    ['secrets/git-token', gitToken],
    ['secrets/proxy', `clerk:${proxyPassword}`],
    ['secrets/pseudonyms', pseudonyms],
    ['secrets/trace-key', `Bearer ${traceKey}`],
    ['idp-jwks.json', readJwks('hospital-idp')],
    ['revocations.json', '{"version":1,"entries":[]}'],
  ])
  for (const [name, text] of inputs) writeFileSync(join(directory, name), text, { mode: 0o600 })
  const config = parse(settings)
  const git = {
    ...{ url, ca, proxy, directory: './policies.git', interval: '1s' },
    tokenFile: './secrets/git-token',
    proxyAuthFile: './secrets/proxy',
  }
  const talkative = {
    ...config,
    listeners: [{ address: `127.0.0.1:${port}`, peer: 'xfcc' }],
    admin: { address: `127.0.0.1:${adminPort}` },
    chain: { ...config.chain, keys: './secrets/keys' },
    policy: { git },
    audit: {
      directory: './audit',
      stdout: true,
      key: './secrets/log-key',
      pseudonyms: './secrets/pseudonyms',
    },
    recovery: { trace: true, headers: ['x-api-key'] },
    tracing: {
      sample: 1,
      denials: true,
      endpoints: [{ url: traces, headers: [{ name: 'authorization', file: './secrets/trace-key' }] }],
    },
    log: { level: 'debug' },
  }
  writeFileSync(join(directory, 'waywarden.yaml'), stringify(talkative))
}
