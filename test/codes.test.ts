import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { type DenyCode, denyCodes } from '../src/base/model/decision.ts'
import { type CheckResponseFields, decodeCheckResponse, encodeCheckRequest } from './support/check-request.ts'
import { follow } from './support/followed-provider.ts'
import { act, chainClaims, chainHeader, uris } from './support/hospital.ts'
import { waypoint } from './support/policy-files.ts'
import { createProviderKey, startProvider, tokenBy } from './support/provider.ts'
import { chainNow, type Request, type RunningApp, startTestApp, tokenNow } from './support/running-app.ts'
import { copyPolicies } from './support/sample-policies.ts'
import { temporaryDirectory } from './support/temporary-directory.ts'

/** Codes that no request can bring about, each with its reason; reviewed. */
const unreachable: readonly DenyCode[] = [
  // A fault of our own: test/envoy/handler.test.ts makes the check throw.
  'internal_error',
]

const records = { path: '/patients/42', destinationAddress: '10.96.0.11:8080' }
const billing = { method: 'POST', path: '/tasks', destinationAddress: '10.96.0.4:8080', peer: uris.gateway }
const now = () => Math.floor(Date.now() / 1000)
const withChain = (chain: string) => ({ headers: { 'actor-chain': chain } })
const withToken = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const deep = act(...['a', 'b', 'c', 'd', 'e'].map((name) => `spiffe://hospital.example/ns/x/sa/${name}`))
const flipped = (chain: string) =>
  `${chain.slice(0, -20)}${chain.at(-20) === 'A' ? 'B' : 'A'}${chain.slice(-19)}`

/** Each request is made when it is sent: a token would have expired since the file was loaded. */
const rows: readonly (Request & {
  readonly code: DenyCode
  readonly name: string
  readonly chain?: () => string
  readonly token?: () => string
})[] = [
  {
    code: 'peer_malformed',
    name: 'an XFCC with two URIs',
    xfcc: `By=${waypoint};URI=${uris.agentD},${uris.agentR}`,
  },
  {
    code: 'peer_malformed',
    name: 'a peer of another trust domain',
    peer: 'spiffe://elsewhere.example/ns/a/sa/b',
  },
  { code: 'peer_conflict', name: 'a waypoint as caller', peer: uris.waypoint },
  {
    code: 'waypoint_unknown',
    name: 'another proxy that vouches',
    xfcc: `By=${uris.agentA};URI=${uris.agentD}`,
    chain: chainNow,
  },
  { code: 'request_malformed', name: 'a method in lower case', method: 'get', chain: chainNow },
  { code: 'path_ambiguous', name: 'an escaped slash', path: '/coverage/..%2fadmin', chain: chainNow },
  { code: 'service_unknown', name: 'an unknown address', destinationAddress: '10.1.1.1:80', chain: chainNow },
  { code: 'route_unknown', name: 'an unknown path', path: '/admin', chain: chainNow },
  { code: 'chain_missing', name: 'no chain' },
  { code: 'chain_malformed', name: 'an empty chain', chain: () => '' },
  {
    code: 'chain_malformed',
    name: 'two chains, joined as Envoy joins them',
    chain: () => `${chainNow()},${chainNow()}`,
  },
  { code: 'chain_too_large', name: 'a chain over 4 KiB', chain: () => 'a'.repeat(5000) },
  { code: 'chain_too_deep', name: 'a chain of five actors', chain: () => chainNow({ act: deep }) },
  { code: 'chain_signature', name: 'a flipped bit', chain: () => flipped(chainNow()) },
  {
    code: 'chain_key_unknown',
    name: 'a key that is not ours',
    chain: () => chainNow({}, { ...chainHeader, kid: 'another' }),
  },
  {
    code: 'chain_issuer_unknown',
    name: 'another issuer',
    chain: () => chainNow({ iss: 'https://elsewhere.example' }),
  },
  {
    code: 'chain_expired',
    name: 'an expired chain',
    chain: () =>
      chainNow({
        iat: now() - 400,
        exp: now() - 100,
        tctx: { ...chainClaims.tctx, root_iat: now() - 500, ceil: now() + 3000 },
      }),
  },
  {
    code: 'chain_not_yet_valid',
    name: 'a chain from the future',
    chain: () => chainNow({ iat: now() + 1200, exp: now() + 1500 }),
  },
  { code: 'chain_not_yours', name: "another agent's chain", chain: () => chainNow({ aud: uris.agentA }) },
  {
    code: 'chain_not_yours',
    name: 'a chain that comes through ingress',
    ...billing,
    chain: () => chainNow({ aud: uris.gateway }),
  },
  { code: 'chain_revoked', name: 'a revoked transaction', chain: () => chainNow({ txn: 'revoked' }) },
  { code: 'token_missing', name: 'ingress without a token', ...billing },
  { code: 'token_invalid', name: 'an ID token', ...billing, token: () => tokenNow({ typ: 'ID' }) },
  {
    code: 'token_expired',
    name: 'an expired token',
    ...billing,
    token: () => tokenNow({ iat: now() - 900, exp: now() - 600 }),
  },
  {
    code: 'token_audience',
    name: 'a token for somebody else',
    ...billing,
    token: () => tokenNow({ aud: 'account' }),
  },
  { code: 'token_from_agent', name: 'a user token from an agent', token: tokenNow },
  {
    code: 'scope_missing',
    name: 'a route that requires a scope',
    destinationAddress: '10.0.0.1:80',
    path: '/scoped',
    chain: chainNow,
  },
  { code: 'policy_denied', name: 'a record for the billing agent', ...records, chain: chainNow },
  {
    code: 'policy_error',
    name: 'a forbid that overflows',
    destinationAddress: '10.0.0.1:80',
    path: '/overflow',
    chain: chainNow,
  },
]

/** The sample policies, and a service whose policies err. */
async function withTestService(directory: string): Promise<void> {
  const { readFile, mkdir } = await import('node:fs/promises')
  copyPolicies(join(directory, 'policies'))
  const services = join(directory, 'policies/services.yaml')
  const more = `
  - name: test
    addresses: ['10.0.0.1:80']
    spiffeId: spiffe://hospital.example/ns/test/sa/test
    waypoint: ${waypoint}
    routes:
      - {match: GET /scoped, action: ask, scope: 'tasks:delete'}
      - {match: GET /overflow, action: ask}
`
  await writeFile(services, (await readFile(services, 'utf8')) + more)
  await mkdir(join(directory, 'policies/test-team'))
  const policy =
    'forbid (principal, action, resource == Service::"test") when { 9223372036854775807 + context.chain.depth > 0 };'
  await writeFile(join(directory, 'policies/test-team/test.cedar'), policy)
}

describe('decision codes, each by a gRPC Check', () => {
  const seen = new Set<DenyCode>()
  let running: RunningApp

  const expectDenied = (response: CheckResponseFields, code: DenyCode) => {
    expect(response.status).to.equal(7)
    expect(response.body).to.have.property('code', code)
    expect(response.metadata).to.have.property('code', code)
    expect(response.clientHeaders['waywarden-decision-id']).to.equal(response.body?.['decisionId'])
    seen.add(code)
  }

  before(async () => {
    const directory = temporaryDirectory()
    await withTestService(directory)
    running = await startTestApp(directory)
  })
  after(() => running[Symbol.asyncDispose]())

  it('an allowed call carries a chain of its own for the next hop, and nothing of the old one', async () => {
    const request = {
      method: 'POST',
      path: '/tasks',
      destinationAddress: '10.96.0.2:8080',
      peer: uris.agentA,
    }
    const response = await running.ask({
      ...request,
      ...withChain(chainNow({ aud: uris.agentA, act: undefined, par_hash: undefined })),
    })
    expect(response).to.deep.include({ status: 0, kind: 'ok' })
    const [, claims = ''] = response.setHeaders['actor-chain']?.split('.') ?? []
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).to.deep.include({
      aud: uris.agentD,
      sub: 'clerk',
    })
  })

  it('a service that calls nobody gets no chain at all', async () => {
    const response = await running.ask(withChain(chainNow()))
    expect(response).to.deep.include({ status: 0, setHeaders: {} })
    expect(response.removeHeaders).to.include('actor-chain')
  })

  it("the first hop turns the user's token into a chain", async () => {
    const response = await running.ask({ ...billing, ...withToken(tokenNow()) })
    expect(response).to.have.property('status', 0)
    expect(response.setHeaders).to.have.property('actor-chain')
    expect(response.removeHeaders).to.include('authorization')
  })

  for (const { code, name, chain, token, ...request } of rows) {
    it(`${code}: ${name}`, async () => {
      const carried = { ...(chain && withChain(chain())), ...(token && withToken(token())) }
      expectDenied(await running.ask({ ...request, ...carried }), code)
    })
  }

  it('peer_missing: a request without XFCC', async () => {
    const bytes = encodeCheckRequest({
      method: 'GET',
      path: '/',
      headers: {},
      destinationAddress: '10.96.0.10:8080',
    })
    expectDenied(decodeCheckResponse(await running.client.check(bytes)), 'peer_missing')
  })

  it('request_malformed: bytes that are no CheckRequest', async () => {
    expectDenied(
      decodeCheckResponse(await running.client.check(Buffer.from([0x0a, 0xff]))),
      'request_malformed',
    )
  })

  it('request_too_large: more than any Envoy sends', async () => {
    const response = await running.ask({ headers: { x: 'a'.repeat(1024 * 1024) } })
    expectDenied(response, 'request_too_large')
  })

  it('request_too_large: more than is read at all', async () => {
    const bytes = Buffer.alloc(5 * 1024 * 1024)
    expectDenied(decodeCheckResponse(await running.client.check(bytes)), 'request_too_large')
  })

  it('overloaded: more checks at once than allowed', async () => {
    await using small = await startTestApp(temporaryDirectory(), (config) => ({ ...config, maxInFlight: 1 }))
    const responses = await Promise.all(Array.from({ length: 20 }, () => small.ask(withChain(chainNow()))))
    const refused = responses.filter(({ status }) => status !== 0)
    expect(refused).to.not.have.length(0)
    for (const response of refused) expectDenied(response, 'overloaded')
  })

  it('deadline_exceeded: no time left', async () => {
    await using late = await startTestApp(temporaryDirectory(), (config) => ({ ...config, deadlineMs: 0 }))
    expectDenied(await late.ask(withChain(chainNow())), 'deadline_exceeded')
  })

  it('policy_unavailable: the policies do not load', async () => {
    const directory = temporaryDirectory()
    await withTestService(directory)
    await writeFile(join(directory, 'policies/test-team/test.cedar'), 'permit (')
    await using broken = await startTestApp(directory)
    expectDenied(await broken.ask(withChain(chainNow())), 'policy_unavailable')
  })

  it('audit_unavailable: the record cannot be written; then it can again', async () => {
    await using blind = await startTestApp(temporaryDirectory())
    const audit = join(blind.directory, 'audit')
    await rm(audit, { recursive: true })
    await writeFile(audit, 'in the way')
    const ask = () => blind.ask(withChain(chainNow()))
    let answer = await ask()
    // The log looks now and then whether its file still has its name.
    while (answer.status === 0) answer = await ask()
    expectDenied(answer, 'audit_unavailable')
    await rm(audit)
    expect(await ask()).to.have.property('status', 0)
  })

  it('token_key_unknown: a key that the provider does not publish', async () => {
    await using provider = await startProvider(createProviderKey())
    await using following = await follow(provider)
    const token = tokenBy(createProviderKey())
    expectDenied(await following.ask({ ...billing, ...withToken(token) }), 'token_key_unknown')
  })

  it('has produced every code but the reviewed ones', () => {
    expect(denyCodes.filter((code) => !seen.has(code))).to.have.members([...unreachable])
  })
})
