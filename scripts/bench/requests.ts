import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import { idpIssuer } from '../../demo/idp.ts'
import { waywardenIssuer } from '../../demo/waywarden.ts'
import { trustDomain, waypoint, workloads } from '../../demo/world.ts'
import { checkRequestType, encodeRawCheckRequest } from '../../test/support/check-request.ts'
import { forge } from '../../test/support/forge.ts'
import { benchService } from './repository.ts'

/** One request at the waypoint, as the agent in front of it sends it. */
export type Asked = { readonly path: string; readonly chain: string; readonly peer: string }

/** Makes the requests of a benchmark: the clerk asked A, A asked D, and D asks for a patient's record. */
export type Requests = {
  /** The CheckRequest that every server gets again and again. */
  readonly same: Asked
  /** A chain and a patient that nobody has asked about yet. */
  readonly another: () => Asked
  /** The same chain, and another patient. */
  readonly anotherPatient: () => Asked
  /** The same request with a signature that is somebody else's. */
  readonly forged: Asked
  /** A genuine chain of an agent that no policy permits. */
  readonly forbidden: Asked
  /** The public key that verifies the chains, as a JWK Set. */
  readonly jwks: string
}

const lifetimeSeconds = 3600

/** Signs chains with the key that Waywarden signs with. */
export function createRequests(keys: string): Requests {
  const { d, ...jwk } = JSON.parse(readFileSync(join(keys, 'active.jwk.json'), 'utf8'))
  const key = createPrivateKey({ key: { ...jwk, d }, format: 'jwk' })
  const header = { alg: 'ES256', kid: jwk.kid, typ: 'actor-chain+jwt' }
  const toChain = (holder: string) =>
    forge(header, toClaims(holder), (input) =>
      sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }),
    )
  const peer = workloads['agent-d']
  let patients = 0
  const toPath = () => `/patients/p-${patients++}`
  const another = () => ({ path: toPath(), chain: toChain(peer), peer })
  const same = another()
  const [header64, payload] = same.chain.split('.')
  const [, , signature] = another().chain.split('.')
  return {
    same,
    another,
    anotherPatient: () => ({ ...same, path: toPath() }),
    forged: { ...same, chain: `${header64}.${payload}.${signature}` },
    forbidden: { ...same, chain: toChain(workloads['agent-r']), peer: workloads['agent-r'] },
    jwks: JSON.stringify({ keys: [jwk] }),
  }
}

/** The CheckRequest in which Envoy asks about a request, with every field that it sends; `isTraced`: in a trace already. */
export function toCheckRequest({ path, chain, peer }: Asked, isTraced = true): Buffer {
  const { vip: address, vipPort: port_value } = benchService
  const { traceparent, ...headers } = toHeaders(chain, peer)
  const pseudo = { ':method': 'GET', ':path': path, ':scheme': 'http' }
  return encodeRawCheckRequest({
    attributes: {
      source: { address: { socket_address: { address: '10.244.1.17', port_value: 43210 } } },
      destination: { address: { socket_address: { address, port_value } } },
      request: {
        time: { seconds: Math.floor(Date.now() / 1000), nanos: 417_000_000 },
        http: {
          id: '13273982547512064571',
          method: 'GET',
          path,
          host: `${benchService.name}.hospital.svc.cluster.local:8080`,
          scheme: 'http',
          size: -1,
          protocol: 'HTTP/1.1',
          headers: { ...pseudo, ...headers, ...(isTraced ? { traceparent } : {}) },
        },
      },
    },
  })
}

/** The headers of a request at the waypoint: those of the agent, and the proven caller. */
export function toHeaders(chain: string, peer: string): Readonly<Record<string, string>> {
  return {
    accept: 'application/json',
    'user-agent': 'agent-d/1.4',
    'x-forwarded-proto': 'http',
    'x-request-id': '4f1c1fd4-7a8b-9d1e-8f0a-3f4f3c1d2e5b',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    'x-forwarded-client-cert': `By=${waypoint};URI=${peer}`,
    'actor-chain': chain,
  }
}

/** Writes messages for the load client, each after its length. */
export function writeMessages(file: string, messages: readonly Buffer[]): string {
  const parts = messages.flatMap((message) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(message.length)
    return [length, message]
  })
  writeFileSync(file, Buffer.concat(parts))
  return file
}

function toClaims(holder: string): object {
  const now = Math.floor(Date.now() / 1000)
  return {
    ver: 1,
    iss: waywardenIssuer,
    sub: 'clerk',
    sub_iss: idpIssuer,
    sub_profile: 'user',
    aud: holder,
    iat: now - 10,
    exp: now + lifetimeSeconds - 30,
    jti: randomUUID(),
    txn: randomUUID(),
    tctx: { groups: ['billing'], root_iat: now - 20, ceil: now + lifetimeSeconds - 20 },
    act: { sub: workloads['agent-a'], iss: `spiffe://${trustDomain}`, sub_profile: 'ai_agent' },
    par_hash: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
  }
}

// proto/ has only what Waywarden reads; Envoy sends more, and a reader has to get past it.
const attributes = checkRequestType.root.lookupType('envoy.service.auth.v3.AttributeContext')
const timestamp = new protobuf.Type('Timestamp')
  .add(new protobuf.Field('seconds', 1, 'int64'))
  .add(new protobuf.Field('nanos', 2, 'int32'))
attributes
  .lookupType('Request')
  .add(timestamp)
  .add(new protobuf.Field('time', 1, 'Timestamp'))
attributes
  .lookupType('HttpRequest')
  .add(new protobuf.Field('id', 1, 'string'))
  .add(new protobuf.Field('scheme', 6, 'string'))
  .add(new protobuf.Field('size', 9, 'int64'))
  .add(new protobuf.Field('protocol', 10, 'string'))
