import { expect } from 'chai'
import { isProblems } from '../../src/base/model/problems.ts'
import { parseConfig } from '../../src/config/config.ts'

const minute = 60_000

/** The configuration with an entry of `users` that says this of its keys. */
function read(entry: string, issuer = 'https://idp.hospital.example') {
  const text = `
version: 1
listeners: [{address: '127.0.0.1:0', peer: xfcc}]
chain: {issuer: https://waywarden.hospital.example, trustDomain: hospital.example, keys: ./keys}
users: [{name: hospital, issuer: '${issuer}', audience: agents, clients: [ui], userClaim: sid, ${entry}}]
policy: {directory: ./policies}
audit: {directory: ./audit}
`
  return parseConfig('/etc/waywarden/waywarden.yaml', text, new Map())
}

describe('config/key-source', () => {
  const url = 'https://idp.hospital.example/jwks'
  const remote = {
    kind: 'remote',
    url,
    discovery: undefined,
    ca: undefined,
    everyMs: 5 * minute,
    cooldownMs: 10_000,
    keep: undefined,
    seed: undefined,
    maxStalenessMs: 24 * 60 * minute,
  }
  for (const { entry, want } of [
    { entry: 'jwks: idp.json', want: { kind: 'file', path: '/etc/waywarden/idp.json', key: 'jwks' } },
    {
      entry: 'keys: {file: idp.json}',
      want: { kind: 'file', path: '/etc/waywarden/idp.json', key: 'keys.file' },
    },
    {
      entry: `keys: {url: '${url}'}`,
      want: remote,
    },
    {
      entry: `keys: {url: '${url}', ca: ca.pem, every: 1m, cooldown: 5s, keep: k.json, seed: s.json, maxStaleness: 2h}`,
      want: {
        kind: 'remote',
        url,
        discovery: undefined,
        ca: '/etc/waywarden/ca.pem',
        everyMs: minute,
        cooldownMs: 5000,
        keep: '/etc/waywarden/k.json',
        seed: '/etc/waywarden/s.json',
        maxStalenessMs: 120 * minute,
      },
    },
    {
      entry: `keys: {discovery: true, url: '${url}', every: 10m}`,
      want: { ...remote, everyMs: 10 * minute },
    },
    { entry: `keys: {discovery: false, url: '${url}'}`, want: remote },
    {
      entry: 'keys: {discovery: true, origins: [https://keys.hospital.example]}',
      want: {
        ...remote,
        url: 'https://idp.hospital.example/.well-known/openid-configuration',
        discovery: {
          issuer: 'https://idp.hospital.example',
          origins: ['https://idp.hospital.example', 'https://keys.hospital.example'],
        },
      },
    },
  ]) {
    it(`reads ${entry}`, () => {
      const config = read(entry)
      if (isProblems(config)) throw new TypeError(JSON.stringify(config.problems))
      expect(config.users[0]?.keySource).to.deep.equal(want)
    })
  }

  for (const { entry, want } of [
    { entry: 'id: sub', want: ['users.0'] },
    { entry: 'keys: {}', want: ['users.0.keys'] },
    { entry: `jwks: idp.json, keys: {url: '${url}'}`, want: ['users.0.jwks'] },
    { entry: `keys: {file: idp.json, url: '${url}'}`, want: ['users.0.keys.file'] },
    {
      entry: 'keys: {file: idp.json, every: 1m, keep: k.json}',
      want: ['users.0.keys.every', 'users.0.keys.keep'],
    },
    { entry: 'keys: {discovery: false}', want: ['users.0.keys'] },
    { entry: 'keys: {file: idp.json, discovery: true}', want: ['users.0.keys.file'] },
    {
      entry: `keys: {url: '${url}', discovery: true, origins: [https://keys.example]}`,
      want: ['users.0.keys.origins'],
    },
    { entry: 'keys: {file: idp.json, origins: [https://keys.example]}', want: ['users.0.keys.origins'] },
    { entry: 'keys: {discovery: true, origins: [http://keys.example]}', want: ['users.0.keys.origins.0'] },
    {
      entry: 'keys: {discovery: true, origins: [https://keys.example/path]}',
      want: ['users.0.keys.origins.0'],
    },
    { entry: 'keys: {discovery: true, every: 1h, maxStaleness: 90m}', want: ['users.0.keys.maxStaleness'] },
    { entry: "keys: {url: 'http://idp.hospital.example/jwks'}", want: ['users.0.keys.url'] },
    { entry: "keys: {url: 'https://user:secret@idp.hospital.example/jwks'}", want: ['users.0.keys.url'] },
    { entry: `keys: {url: '${url}', every: 1h, maxStaleness: 90m}`, want: ['users.0.keys.maxStaleness'] },
    { entry: `keys: {url: '${url}', every: 13h}`, want: ['users.0.keys.every'] },
    { entry: `keys: {url: '${url}', keep: a.json, seed: a.json}`, want: ['users.0.keys.seed'] },
    { entry: `keys: {url: '${url}', cooldown: 0s}`, want: ['users.0.keys.cooldown'] },
    { entry: `keys: {url: '${url}', unheardOf: 1}`, want: ['users.0.keys.unheardOf'] },
    { entry: "jwks: 'https://idp.hospital.example/jwks'", want: ['users.0.jwks'] },
  ]) {
    it(`refuses ${entry}`, () => {
      const config = read(entry)
      const problems = isProblems(config) ? config.problems.map(({ path }) => path) : []
      expect([...problems].sort()).to.deep.equal(want)
    })
  }

  for (const { issuer, document, also } of [
    {
      issuer: 'https://idp.example/realms/a/',
      document: 'https://idp.example/realms/a/.well-known/openid-configuration',
      also: [],
    },
    {
      issuer: 'https://sts.windows.net/72f988bf/',
      document: 'https://sts.windows.net/72f988bf/.well-known/openid-configuration',
      also: ['https://login.windows.net', 'https://login.microsoftonline.com'],
    },
    {
      issuer: 'https://accounts.google.com',
      document: 'https://accounts.google.com/.well-known/openid-configuration',
      also: ['https://www.googleapis.com'],
    },
  ]) {
    it(`discovers the keys of ${issuer} at one address, and only at known origins`, () => {
      const config = read('keys: {discovery: true}', issuer)
      if (isProblems(config)) throw new TypeError(JSON.stringify(config.problems))
      expect(config.users[0]?.keySource).to.deep.include({
        url: document,
        discovery: { issuer, origins: [new URL(issuer).origin, ...also] },
      })
    })
  }

  it('refuses an issuer that stands for any tenant, and says what to write', () => {
    const config = read('keys: {discovery: true}', 'https://login.microsoftonline.com/{tenantid}/v2.0')
    expect(isProblems(config) ? config.problems.map(({ path }) => path) : []).to.deep.equal([
      'users.0.issuer',
    ])
  })
})
