import { expect } from 'chai'
import { type Hospital, startHospital } from '../../demo/hospital.ts'
import { clerk } from '../../demo/idp.ts'
import { openTunnel } from '../../demo/mesh.ts'
import { warmUp } from '../../demo/scenario.ts'
import type { DenyCode } from '../../src/base/model/decision.ts'
import { mintChain } from '../support/hospital-chain.ts'
import { type RawAnswer, sendHttp2, sendRaw } from '../support/raw-http.ts'

/** A request of D to the insurance; `chain` stands for a chain that allows it. */
type Case = {
  readonly name: string
  readonly line?: string
  readonly host?: readonly string[]
  readonly headers?: readonly string[]
  readonly want: { readonly status: number; readonly code?: DenyCode }
}

const allowed = { status: 200 }
const ambiguous = { status: 403, code: 'path_ambiguous' } as const
const malformedChain = { status: 403, code: 'chain_malformed' } as const

const cases: readonly Case[] = [
  { name: 'a plain request', want: allowed },
  { name: 'a query', line: 'GET /coverage/p-7?q=%20z HTTP/1.1', want: allowed },
  { name: 'dots, which Envoy resolves', line: 'GET /a/../coverage/./p-7 HTTP/1.1', want: allowed },
  { name: 'escaped dots, which Envoy resolves', line: 'GET /a/%2e%2E/coverage/p-7 HTTP/1.1', want: allowed },
  { name: 'a backslash, which Envoy turns', line: 'GET /coverage\\p-7 HTTP/1.1', want: allowed },
  { name: 'a double slash', line: 'GET /coverage//p-7 HTTP/1.1', want: ambiguous },
  { name: 'a leading double slash', line: 'GET //coverage/p-7 HTTP/1.1', want: ambiguous },
  { name: 'an escaped slash', line: 'GET /coverage%2Fp-7 HTTP/1.1', want: ambiguous },
  {
    name: 'an escaped slash after dots',
    line: 'GET /coverage/p-7/..%2f..%2fadmin HTTP/1.1',
    want: ambiguous,
  },
  { name: 'an escaped backslash', line: 'GET /coverage/p%5C7 HTTP/1.1', want: ambiguous },
  { name: 'an escaped letter, which Envoy resolves', line: 'GET /coverage/%70-7 HTTP/1.1', want: allowed },
  { name: 'a matrix parameter', line: 'GET /coverage/p-7;x=1 HTTP/1.1', want: ambiguous },
  { name: 'another case', line: 'GET /Coverage/p-7 HTTP/1.1', want: ambiguous },
  { name: 'a dot at the end of a segment', line: 'GET /coverage./p-7 HTTP/1.1', want: ambiguous },
  { name: 'an escaped dot at the end', line: 'GET /coverage%2e/p-7 HTTP/1.1', want: ambiguous },
  { name: 'a blank at the end of a segment', line: 'GET /coverage%20/p-7 HTTP/1.1', want: ambiguous },
  { name: 'a wide letter', line: 'GET /%EF%BD%83overage/p-7 HTTP/1.1', want: ambiguous },
  { name: 'a wide slash', line: 'GET /coverage%EF%BC%8Fp-7 HTTP/1.1', want: ambiguous },
  { name: 'a method in the query', line: 'GET /coverage/p-7?_method=DELETE HTTP/1.1', want: ambiguous },
  {
    name: 'a method in the query, its name escaped',
    line: 'GET /coverage/p-7?a=1&%5Fmethod=DELETE HTTP/1.1',
    want: ambiguous,
  },
  { name: 'an id in another case', line: 'GET /coverage/P-7 HTTP/1.1', want: allowed },
  {
    name: 'brackets, which Envoy leaves and the insurance has no patient for',
    line: 'GET /coverage/p[7] HTTP/1.1',
    want: { status: 404 },
  },
  {
    name: 'a bar, which Envoy escapes',
    line: 'GET /coverage/p|7 HTTP/1.1',
    want: { status: 404 },
  },
  { name: 'a broken escape', line: 'GET /coverage/p-7%zz HTTP/1.1', want: ambiguous },
  { name: 'an escaped NUL', line: 'GET /coverage/p-7%00 HTTP/1.1', want: { status: 400 } },
  { name: 'a fragment', line: 'GET /coverage/p-7#x HTTP/1.1', want: { status: 400 } },
  { name: 'a byte beyond ASCII in the path', line: 'GET /coverage/p\xff HTTP/1.1', want: { status: 400 } },
  { name: 'a lower-case method', line: 'get /coverage/p-7 HTTP/1.1', want: { status: 400 } },
  {
    name: 'a method without a route',
    line: 'PUT /coverage/p-7 HTTP/1.1',
    want: { status: 403, code: 'route_unknown' },
  },
  {
    name: 'a path without a route',
    line: 'GET /admin HTTP/1.1',
    want: { status: 403, code: 'route_unknown' },
  },
  { name: 'a target for the whole server', line: 'OPTIONS * HTTP/1.1', want: { status: 404 } },
  { name: 'a tunnel within the tunnel', line: 'CONNECT 10.96.0.11:8080 HTTP/1.1', want: { status: 404 } },
  {
    name: 'another host in absolute form',
    line: 'GET http://other:8080/coverage/p-7 HTTP/1.1',
    want: allowed,
  },
  { name: 'the host of another service', host: ['patient-records'], want: allowed },
  { name: 'two hosts, which decide nothing', host: ['a', 'b'], want: allowed },
  { name: 'the chain twice', headers: ['actor-chain: CHAIN', 'actor-chain: CHAIN'], want: malformedChain },
  { name: 'a second chain', headers: ['actor-chain: CHAIN', 'actor-chain: x.y.z'], want: malformedChain },
  { name: 'an empty chain', headers: ['actor-chain:'], want: malformedChain },
  { name: 'a chain that is no UTF-8', headers: ['actor-chain: CHAIN\xff\xfe'], want: malformedChain },
  {
    name: 'another header that is no UTF-8',
    headers: ['actor-chain: CHAIN', 'x-note: \xff\xfe'],
    want: allowed,
  },
  { name: 'another header twice', headers: ['actor-chain: CHAIN', 'x-note: a', 'x-note: b'], want: allowed },
  {
    name: 'metadata headers that only the waypoint may set',
    headers: [
      'actor-chain: CHAIN',
      'x-waypoint-peer-principal: spiffe://hospital.example/ns/clinic/sa/agent-r',
    ],
    want: allowed,
  },
  {
    name: 'two forged identities',
    headers: [
      'actor-chain: CHAIN',
      'x-forwarded-client-cert: a',
      'x-forwarded-client-cert: b',
      'connection: x-forwarded-client-cert',
    ],
    want: allowed,
  },
]

for (const peer of ['xfcc', 'metadata'] as const) {
  describe(`odd requests through Envoy, peer: ${peer}`, () => {
    let hospital: Hospital
    let chain: string

    before(async () => {
      hospital = await startHospital({ peer })
      await warmUp(hospital)
      chain = await mintChain(hospital, clerk, ['agent-a'], 'agent-d')
    })
    after(() => hospital[Symbol.asyncDispose]())

    for (const { name, want, ...request } of cases) {
      it(`${name}: ${want.status} ${want.code ?? ''}`.trimEnd(), async () => {
        const socket = await openTunnel(hospital.outboundOf('agent-d'), '10.96.0.10:8080')
        expect(toResult(await sendRaw(socket, toBytes(request, chain)))).to.deep.equal({
          code: undefined,
          ...want,
        })
      })
    }

    for (const { method, want } of [
      { method: 'GET', want: { status: 200, code: undefined } },
      { method: 'get', want: { status: 403, code: 'request_malformed' } },
    ]) {
      it(`HTTP/2 with the method ${method}: ${want.status} ${want.code ?? ''}`.trimEnd(), async () => {
        const socket = await openTunnel(hospital.outboundOf('agent-d'), '10.96.0.10:8080')
        const headers = { ':method': method, ':path': '/coverage/p-7', 'actor-chain': chain }
        expect(toResult(await sendHttp2(socket, headers))).to.deep.equal(want)
      })
    }
  })
}

function toBytes({ line, host, headers }: Omit<Case, 'name' | 'want'>, chain: string): Buffer {
  const lines = [
    line ?? 'GET /coverage/p-7 HTTP/1.1',
    ...(host ?? ['insurance']).map((value) => `host: ${value}`),
    ...(headers ?? ['actor-chain: CHAIN']),
  ]
  return Buffer.from(`${lines.join('\r\n').replaceAll('CHAIN', chain)}\r\n\r\n`, 'latin1')
}

function toResult({ status, body }: RawAnswer): {
  readonly status: number
  readonly code: string | undefined
} {
  const isProblem = body.includes('"decisionId"')
  const { code } = (isProblem ? JSON.parse(body) : {}) as { readonly code?: string }
  return { status, code }
}
