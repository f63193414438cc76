import { expect } from 'chai'
import { type Hospital, startHospital } from '../../demo/hospital.ts'
import { clerk } from '../../demo/idp.ts'
import { openTunnel } from '../../demo/mesh.ts'
import { warmUp } from '../../demo/scenario.ts'
import { mintChain } from '../support/hospital-chain.ts'
import { sendRaw } from '../support/raw-http.ts'

/** A request that the policies allow, with headers beside `host` and the chain, and what becomes of it in Envoy. */
const cases: readonly {
  readonly name: string
  readonly headers: readonly string[]
  readonly status: number
  readonly body: RegExp
}[] = [
  {
    name: 'an upgrade to TLS, as Java clients offer it',
    headers: ['upgrade: TLS/1.2', 'connection: upgrade'],
    status: 403,
    body: /^$/,
  },
  {
    name: 'an upgrade to HTTP/2',
    headers: ['upgrade: h2c', 'connection: upgrade, http2-settings', 'http2-settings: AAMAAABkAAQAAP__'],
    status: 200,
    body: /isCovered/,
  },
  { name: '80 headers', headers: many(80), status: 200, body: /isCovered/ },
  // Envoy counts its own headers, too, once the answer of the check has changed some.
  { name: '98 headers, which are 100 with its own', headers: many(98), status: 500, body: /^$/ },
  { name: 'more than 100 headers', headers: many(102), status: 431, body: /Too Large/ },
]

describe("Envoy's own answers", function () {
  this.timeout(60_000)
  let hospital: Hospital
  let chain: string

  before(async () => {
    hospital = await startHospital({ peer: 'xfcc' })
    await warmUp(hospital)
    chain = await mintChain(hospital, clerk, ['agent-a'], 'agent-d')
  })
  after(() => hospital[Symbol.asyncDispose]())

  for (const { name, headers, status, body } of cases) {
    it(`${name}: ${status}`, async () => {
      const socket = await openTunnel(hospital.outboundOf('agent-d'), '10.96.0.10:8080')
      const lines = ['GET /coverage/p-7 HTTP/1.1', 'host: insurance', `actor-chain: ${chain}`, ...headers]
      const answer = await sendRaw(socket, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`))
      expect(answer.status).to.equal(status)
      expect(answer.body).to.match(body)
    })
  }
})

function many(count: number): readonly string[] {
  return Array.from({ length: count - 2 }, (_, index) => `x-note-${index}: a`)
}
