import { expect } from 'chai'
import fc from 'fast-check'
import { isProblems } from '../../src/base/model/problems.ts'
import {
  type Config,
  configJsonSchema,
  formatConfigProblem,
  parseConfig,
  readEnv,
} from '../../src/config/config.ts'

const file = '/etc/waywarden/waywarden.yaml'
const sample = `version: 1
listeners:
  - {address: 127.0.0.1:9191, peer: xfcc, tls: {cert: tls.crt, key: tls.key, clientCa: /ca/mesh.crt}}
chain: {issuer: https://waywarden.hospital.example, trustDomain: hospital.example, keys: ./keys}
ingress:
  peers: [{id: spiffe://hospital.example/ns/istio-ingress/sa/gateway, issuers: [hospital]}]
users:
  - {name: hospital, issuer: https://idp.hospital.example/realms/hospital, audience: hospital-agents, jwks: idp.json, clients: [ui]}
policy: {directory: ../policies}
audit: {directory: audit}
`

const everythingWrong = `version: 2
listeners:
  - address: 0.0.0.0:9191
    peer: xfc
  - address: localhost:9191
    peer: principal
    tlss: {}
chain:
  issuer: http://waywarden.hospital.example
  trustDomain: Hospital
  header: authorization
  hopLifetime: 2h
  maxDepth: 9
ingress: {peers: [{id: spiffe://hospital.example/ns/a/sa/b, issuers: [hospitl]}]}
users:
  - {name: hospital, issuer: https://idp.example, jwks: idp.json, clients: []}
  - {name: hospital, issuer: https://idp.example, jwks: idp.json, audience: agents, clients: [ui]}
enforce: true
audit: 5
deadline: 150
`

describe('config', () => {
  it('reads what an operator writes, fills in the strict defaults and starts relative paths at the file', () => {
    const config = parse(sample)
    expect(config.listeners[0]).to.deep.equal({
      address: '127.0.0.1',
      port: 9191,
      peer: 'xfcc',
      tls: { cert: '/etc/waywarden/tls.crt', key: '/etc/waywarden/tls.key', clientCa: '/ca/mesh.crt' },
      plaintext: undefined,
      transport: 'grpc-js',
      reflection: false,
      maxConcurrentStreams: 1000,
      maxConnectionAgeSeconds: 600,
      maxConnectionAgeGraceSeconds: 30,
    })
    expect(config.admin).to.deep.equal({ address: '127.0.0.1', port: 9192 })
    expect(config.chain).to.deep.equal({
      issuer: 'https://waywarden.hospital.example',
      trustDomain: 'hospital.example',
      trustDomainAliases: [],
      header: 'actor-chain',
      keys: '/etc/waywarden/keys',
      revocations: undefined,
      hopLifetimeSeconds: 300,
      maxLifetimeSeconds: 3600,
      ceiling: 'fixed',
      maxDepth: 4,
    })
    expect(config.ingress.peers[0]?.id.uri).to.equal('spiffe://hospital.example/ns/istio-ingress/sa/gateway')
    expect(config.ingress).to.include({ forwardAuthorization: false })
    expect(config.users[0]).to.deep.include({
      keySource: { kind: 'file', path: '/etc/waywarden/idp.json', key: 'jwks' },
      id: 'sub',
      groups: 'groups',
      groupsAbsent: 'refuse',
      groupsAllow: [],
      clients: ['ui'],
      provider: 'keycloak',
      audience: ['hospital-agents'],
      userClaim: 'sid',
    })
    expect(config.policy.directory).to.equal('/etc/policies')
    expect(config).to.deep.include({
      deadlineMs: 150,
      maxInFlight: 1000,
      drainSeconds: 5,
      log: { level: 'info' },
    })
    expect(config.audit).to.deep.equal({
      directory: '/etc/waywarden/audit',
      mode: 'written',
      key: undefined,
      pseudonyms: undefined,
      retention: { ageMs: undefined, bytes: undefined },
      stdout: false,
      maxSegmentBytes: 64 * 1024 * 1024,
    })
  })

  it('reads how evidence is kept', () => {
    const audit =
      'audit: {directory: a, mode: durable, key: secret/log-key, pseudonyms: p, retention: {age: 90d, size: 50GiB}}'
    expect(parse(sample.replace(/^audit: .*$/m, audit)).audit).to.deep.equal({
      directory: '/etc/waywarden/a',
      mode: 'durable',
      key: '/etc/waywarden/secret/log-key',
      pseudonyms: '/etc/waywarden/p',
      retention: { ageMs: 90 * 86_400_000, bytes: 50 * 1024 ** 3 },
      stdout: false,
      maxSegmentBytes: 64 * 1024 * 1024,
    })
  })

  it('is frozen to its leaves', () => {
    const { chain, listeners } = parse(sample)
    expect([chain, listeners, listeners[0], listeners[0]?.tls].every(Object.isFrozen)).to.equal(true)
  })

  it('lets an environment variable win over the file', () => {
    const env = {
      WAYWARDEN__CHAIN__MAXDEPTH: '8',
      WAYWARDEN__LISTENERS__0__REFLECTION: 'true',
      WAYWARDEN__USERS__0__CLIENTS__0: 'web',
    }
    const config = parse(sample, env)
    expect(config.chain.maxDepth).to.equal(8)
    expect(config.listeners[0]?.reflection).to.equal(true)
    expect(config.users[0]?.clients).to.deep.equal(['web'])
  })

  it('reads only variables with its own prefix', () => {
    const env = readEnv({
      WAYWARDEN_PORT: 'tcp://10.0.0.1:9191',
      WAYWARDEN__LOG__LEVEL: 'debug',
      PATH: '/bin',
      WAYWARDEN__NOT_SET: undefined,
    })
    expect([...env]).to.deep.equal([['WAYWARDEN__LOG__LEVEL', 'debug']])
  })

  it('reports everything that is wrong at once, with its line or its variable', () => {
    const env = { WAYWARDEN__CHIAN__KEYS: 'keys', WAYWARDEN__LOG__LEVEL: 'loud' }
    expect(placesOf(everythingWrong, env)).to.deep.equal([
      '1 version',
      '1 policy',
      '3 listeners.0.address',
      '4 listeners.0.peer',
      '5 listeners.1.address',
      '6 listeners.1.peer',
      '7 listeners.1.tlss',
      '8 chain.keys',
      '9 chain.issuer',
      '10 chain.trustDomain',
      '11 chain.header',
      '12 chain.hopLifetime',
      '13 chain.maxDepth',
      '14 ingress.peers.0.issuers.0',
      '16 users.0.clients',
      '16 users.0.audience',
      '16 users.0.userClaim',
      '17 users.1.name',
      '17 users.1.issuer',
      '17 users.1.userClaim',
      '18 enforce',
      '19 audit',
      '20 deadline',
      'WAYWARDEN__CHIAN__KEYS ',
      'WAYWARDEN__LOG__LEVEL log.level',
    ])
  })

  const refused: readonly {
    readonly name: string
    readonly text: string
    readonly want: readonly string[]
  }[] = [
    { name: 'an empty file', text: '', want: ['1 version', '1 listeners', '1 chain', '1 policy', '1 audit'] },
    {
      name: 'a list',
      text: '- version: 1\n',
      want: ['1 ', '1 version', '1 listeners', '1 chain', '1 policy', '1 audit'],
    },
    { name: 'text that is no YAML', text: 'version: 1\nchain: [\n', want: ['3 '] },
    { name: 'a key that stands twice', text: `${sample}version: 1\n`, want: ['11 '] },
    { name: 'a bomb of aliases', text: bomb(), want: ['2 '] },
    { name: 'a key of a later version', text: `${sample}telemetry: {ratio: 5}\n`, want: ['11 telemetry'] },
    {
      name: 'a key that would touch a prototype',
      text: `${sample}__proto__: {version: 1}\n`,
      want: ['11 __proto__'],
    },
  ]
  for (const { name, text, want } of refused) {
    it(`refuses ${name}`, () => expect(placesOf(text)).to.deep.equal(want))
  }

  it('writes a problem in one line', () => {
    const line = formatConfigProblem({ path: 'chain.keys', place: 'waywarden.yaml:8', message: 'missing' })
    expect(line).to.equal('waywarden.yaml:8: `chain.keys`: missing')
  })

  it('never throws, whatever the file and the variables say', () => {
    const key = fc.constantFrom(
      'version',
      'listeners',
      'chain',
      'users',
      'address',
      'issuer',
      'ingress',
      'peers',
      '__proto__',
      '&a',
      '<<',
    )
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.array(tie('tree')),
        fc.dictionary(key, tie('tree')),
      ),
    }))
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      tree.map((value) => JSON.stringify(value)),
      fc.constant(sample),
    )
    const name = fc.array(fc.oneof(key, fc.nat(3).map(String), fc.string()), { maxLength: 4 })
    const variables = fc.dictionary(
      name.map((parts) => `WAYWARDEN__${parts.join('__').toUpperCase()}`),
      fc.string(),
    )
    fc.assert(
      fc.property(text, variables, (written, env) => {
        const parsed = parseConfig(file, written, readEnv(env))
        if (isProblems(parsed)) expect(parsed.problems).not.to.have.length(0)
      }),
      { numRuns: 500 },
    )
  })

  it('has a JSON Schema that knows every key and allows no other', () => {
    const schema = JSON.parse(JSON.stringify(configJsonSchema()))
    expect(schema.additionalProperties).to.equal(false)
    expect(Object.keys(schema.properties)).to.have.members(
      'version listeners admin workers deadline maxInFlight drain chain ingress users policy audit cache recovery observe tracing log'.split(
        ' ',
      ),
    )
    expect(schema.properties.chain.required).to.have.members(['issuer', 'trustDomain', 'keys'])
  })
})

function parse(text: string, env: Readonly<Record<string, string>> = {}): Config {
  const config = parseConfig(file, text, readEnv(env))
  if (isProblems(config)) throw new RangeError(config.problems.map(formatConfigProblem).join('\n'))
  return config
}

function placesOf(text: string, env: Readonly<Record<string, string>> = {}): readonly string[] {
  const config = parseConfig(file, text, readEnv(env))
  return isProblems(config)
    ? config.problems.map(({ place, path }) => `${place.replace(`${file}:`, '')} ${path}`)
    : []
}

function bomb(): string {
  const levels = Array.from(
    { length: 9 },
    (_, level) =>
      `l${level}: &l${level} [${Array(9)
        .fill(level === 0 ? 'x' : `*l${level - 1}`)
        .join(', ')}]`,
  )
  return levels.join('\n')
}
