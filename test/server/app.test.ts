import { readFileSync } from 'node:fs'
import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { createCa } from '../../demo/ca.ts'
import { readRecords } from '../../src/audit/read/query.ts'
import type { Config } from '../../src/config/config.ts'
import { startApp } from '../../src/server/app.ts'
import { decodeCheckResponse, encodeCheckRequest } from '../support/check-request.ts'
import { readKey } from '../support/forge.ts'
import { check, type GrpcClient } from '../support/grpc-client.ts'
import { uris } from '../support/hospital.ts'
import { chainNow, type RunningApp, startTestApp } from '../support/running-app.ts'
import { copyPolicies } from '../support/sample-policies.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const healthy = async (client: GrpcClient) => {
  const answer = await client.call('/grpc.health.v1.Health/Check', Buffer.alloc(0))
  // HealthCheckResponse has one field, the status: 1 SERVING, 2 NOT_SERVING.
  return { 1: 'SERVING', 2: 'NOT_SERVING' }[answer[1] ?? 0]
}

async function readyz({ app }: RunningApp): Promise<{
  readonly status: number
  readonly reasons: readonly string[]
  readonly notices: readonly string[]
}> {
  const response = await fetch(`http://${app.addresses.admin}/readyz`)
  return { status: response.status, ...JSON.parse(await response.text()) }
}

const portOf = (address: string | undefined) => Number(address?.split(':').at(-1))
const allowed = () => ({ headers: { 'actor-chain': chainNow() } })

describe('app', () => {
  it('says NOT_SERVING, with the reason, until a revision serves', async () => {
    const directory = temporaryDirectory()
    copyPolicies(join(directory, 'policies'))
    await rm(join(directory, 'policies/services.yaml'))
    await writeFile(join(directory, 'policies/services.yaml'), 'services: 7')
    await using running = await startTestApp(directory)
    expect(await healthy(running.client)).to.equal('NOT_SERVING')
    const { status, reasons } = await readyz(running)
    expect(status).to.equal(503)
    expect(reasons.join('\n')).to.match(/services\.yaml:1/)
  })

  it('serves, and shows its public keys alone', async () => {
    await using running = await startTestApp(temporaryDirectory())
    expect(await healthy(running.client)).to.equal('SERVING')
    expect(await readyz(running)).to.deep.include({ status: 200, reasons: [], notices: [] })
    const jwks = await fetch(`http://${running.app.addresses.admin}/.well-known/jwks.json`)
    const { keys } = JSON.parse(await jwks.text())
    expect(keys.map(({ kid }: { kid: string }) => kid)).to.deep.equal(['chain-1'])
    expect(Object.keys(keys[0])).to.not.include('d')
  })

  it('serves with the transport that a listener names', async () => {
    const overTransport = (config: Config): Config => ({
      ...config,
      listeners: config.listeners.map((listener) => ({ ...listener, transport: 'lean' })),
    })
    await using running = await startTestApp(temporaryDirectory(), overTransport)
    expect(await healthy(running.client)).to.equal('SERVING')
    expect(await running.ask(allowed())).to.include({ kind: 'ok' })
    expect((await running.ask({})).body).to.include({ code: 'chain_missing' })
    // grpc-js would have named itself.
    const error = await running.client.call('/nobody/Knows', Buffer.alloc(0)).catch(String)
    expect(error).to.include('expected a method that is served here')
  })

  it('drains: NOT_SERVING, then no new connection; what was in flight is answered', async () => {
    await using running = await startTestApp(temporaryDirectory())
    const pending = Promise.all(Array.from({ length: 50 }, () => running.ask(allowed())))
    await running.ask(allowed())
    await running.app.drain('SIGTERM')
    expect((await pending).map(({ status }) => status)).to.deep.equal(Array.from({ length: 50 }, () => 0))
    const late = await running.client
      .check(Buffer.alloc(0), {}, 1000)
      .catch(({ code }: { code: number }) => code)
    expect(late).to.equal(14)
    expect((await readyz(running)).reasons).to.deep.equal(['draining'])
  })

  it('listens on several ports, each with its one source of identity', async () => {
    const withMetadata = (config: Config): Config => {
      const [first] = config.listeners
      return first === undefined ? config : { ...config, listeners: [first, { ...first, peer: 'metadata' }] }
    }
    await using running = await startTestApp(temporaryDirectory(), withMetadata)
    const [byXfcc, byMetadata] = running.app.addresses.listeners.map(portOf)
    const request = { method: 'GET', path: '/coverage/42', destinationAddress: '10.96.0.10:8080' }
    const headers = { 'actor-chain': chainNow() }
    const withXfcc = encodeCheckRequest({
      ...request,
      headers: { ...headers, 'x-forwarded-client-cert': `By=${uris.waypoint};URI=${uris.agentD}` },
    })
    const metadata = {
      'x-waypoint-peer-principal': uris.agentD,
      'x-waypoint-local-principal': uris.waypoint,
      'x-waypoint-service': 'inbound-vip|8080|http|insurance.hospital.svc.cluster.local',
    }
    const status = async (port: number | undefined, bytes: Buffer, sent = {}) => {
      const { body } = decodeCheckResponse(await check(port ?? 0, bytes, sent))
      return body?.['code'] ?? 'allowed'
    }
    expect(await status(byXfcc, withXfcc)).to.equal('allowed')
    expect(await status(byXfcc, encodeCheckRequest({ ...request, headers }), metadata)).to.equal(
      'peer_missing',
    )
    expect(await status(byMetadata, encodeCheckRequest({ ...request, headers }), metadata)).to.equal(
      'allowed',
    )
    expect(await status(byMetadata, withXfcc)).to.equal('service_unknown')
  })

  it('with mTLS believes only the waypoint that the connection proved', async () => {
    const directory = temporaryDirectory()
    const ca = createCa(directory, 'hospital.example')
    const own = ca.issue('waywarden', ['spiffe://hospital.example/ns/waywarden/sa/waywarden'])
    const tls = { cert: own.chain, key: own.key, clientCa: ca.trustedCa }
    await using running = await startTestApp(directory, (config) => ({
      ...config,
      listeners: config.listeners.map((listener) => ({ ...listener, tls })),
    }))
    const bytes = encodeCheckRequest({
      method: 'GET',
      path: '/coverage/42',
      destinationAddress: '10.96.0.10:8080',
      headers: {
        'actor-chain': chainNow(),
        'x-forwarded-client-cert': `By=${uris.waypoint};URI=${uris.agentD}`,
      },
    })
    const codeFor = async (name: string, uri: string) => {
      const peer = ca.issue(name, [uri])
      const [certificate, key] = [readFileSync(peer.chain, 'utf8'), readFileSync(peer.key, 'utf8')]
      const port = portOf(running.app.addresses.listeners[0])
      const answer = await check(
        port,
        bytes,
        {},
        { ca: readFileSync(ca.trustedCa, 'utf8'), cert: certificate, key },
      )
      return decodeCheckResponse(answer).body?.['code'] ?? 'allowed'
    }
    expect(await codeFor('waypoint', uris.waypoint)).to.equal('allowed')
    expect(await codeFor('agent', uris.agentA)).to.equal('peer_conflict')
  })

  it('records every check, allowed or refused, and keeps the revision that decided', async () => {
    await using running = await startTestApp(temporaryDirectory())
    const answers = [await running.ask(allowed()), await running.ask({})]
    const lines = []
    for await (const line of readRecords([join(running.directory, 'audit')])) lines.push(line)
    const records = lines.flatMap((line) => (line.kind === 'record' ? [line.record] : []))
    expect(records.map(({ decisionId }) => decisionId)).to.deep.equal(
      answers.map(({ clientHeaders }) => clientHeaders['waywarden-decision-id']),
    )
    const kept = readFileSync(
      join(running.directory, `audit/revisions/${records[0]?.policyRevision}.json`),
      'utf8',
    )
    expect(JSON.parse(kept)).to.have.property('files')
  })

  it('does not start with files that cannot be used, and names all of them', async () => {
    const directory = temporaryDirectory()
    const start = startTestApp(directory, (config) => ({
      ...config,
      chain: { ...config.chain, keys: join(directory, 'no-keys') },
      users: config.users.map((user) => ({
        ...user,
        keySource: { kind: 'file', path: join(directory, 'no-jwks.json'), key: 'jwks' },
      })),
    }))
    const error = await start.then(
      () => undefined,
      (cause: unknown) => cause,
    )
    expect(error).to.have.property('code', 'start_failed')
    expect(error).to.have.property('problems').with.length(2)
  })

  it('leaves nothing open when a port is taken', async () => {
    await using running = await startTestApp(temporaryDirectory())
    let config: Config | undefined
    const taken = portOf(running.app.addresses.admin)
    const second = startTestApp(temporaryDirectory(), (made) => {
      config = { ...made, admin: { ...made.admin, port: taken } }
      return config
    })
    expect(
      await second.then(
        () => 'started',
        ({ code }: { code: string }) => code,
      ),
    ).to.equal('admin_unavailable')
    if (config === undefined) throw new TypeError('no config')
    const third = await startApp({ ...config, admin: { ...config.admin, port: 0 } })
    await third[Symbol.asyncDispose]()
  })

  it('takes up rotated signing keys and revocations while it runs', async () => {
    await using running = await startTestApp(temporaryDirectory(), undefined, 20)
    const task = { method: 'POST', path: '/tasks', destinationAddress: '10.96.0.2:8080', peer: uris.agentA }
    const heldByA = { 'actor-chain': chainNow({ aud: uris.agentA, act: undefined, par_hash: undefined }) }
    const kid = async () => {
      const { setHeaders } = await running.ask({ ...task, headers: heldByA })
      const [header = ''] = setHeaders['actor-chain']?.split('.') ?? []
      return header === '' ? 'refused' : JSON.parse(Buffer.from(header, 'base64url').toString()).kid
    }
    expect(await kid()).to.equal('chain-1')
    await cp(
      join(running.directory, 'keys/active.jwk.json'),
      join(running.directory, 'keys/previous.jwk.json'),
    )
    await writeFile(join(running.directory, 'keys/active.jwk.json'), readKey('chain-es256'))
    await until(async () => (await kid()) === 'chain-es256')
    await writeFile(
      join(running.directory, 'revocations.json'),
      JSON.stringify({ version: 1, entries: [{ actor: uris.agentA }] }),
    )
    await until(async () => (await kid()) === 'refused')
  })
})

/** Waits for what comes about by itself; the runner's own time limit ends a wait in vain. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20))
}
