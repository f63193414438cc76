import { expect } from 'chai'
import { type Hospital, startHospital } from '../../demo/hospital.ts'
import { clerk } from '../../demo/idp.ts'
import { openTunnel } from '../../demo/mesh.ts'
import { warmUp } from '../../demo/scenario.ts'
import type { Lane } from '../../demo/world.ts'
import { foldName } from '../../src/base/http/header-name.ts'
import { overridingHeaders } from '../../src/decision/check/removals.ts'
import { type EchoServer, headerNamesOf, startEchoServer } from '../support/echo-server.ts'
import { mintChain } from '../support/hospital-chain.ts'
import { type RawAnswer, sendHttp2, sendRaw } from '../support/raw-http.ts'

/** All that a header name may have besides letters, digits and `-` (RFC 9110 §5.6.2). */
const punctuation = [..."!#$%&'*+.^_`|~"]
const owned = [...overridingHeaders, 'x-forwarded-prefix', 'actor-chain', 'x-forwarded-client-cert']
const twins = owned.flatMap((name) => punctuation.map((character) => name.replaceAll('-', character)))
const foreign = ['x_other', 'x.other', 'x-other', 'x-original-urls']

for (const peer of ['xfcc', 'metadata'] as const) {
  describe(`headers in other letters through Envoy, peer: ${peer}`, function () {
    this.timeout(60_000)
    let hospital: Hospital
    let echo: EchoServer
    let chain: string

    before(async () => {
      echo = await startEchoServer()
      hospital = await startHospital({ peer, insurancePort: echo.port })
      await warmUp(hospital)
      chain = await mintChain(hospital, clerk, ['agent-a'], 'agent-d')
    })
    after(async () => {
      await hospital[Symbol.asyncDispose]()
      await echo[Symbol.asyncDispose]()
    })

    /** Envoy takes at most 100 headers. */
    const send = async (version: 'HTTP/1.1' | 'HTTP/2', lane: Lane, names: readonly string[]) => {
      const received: string[] = []
      for (let at = 0; at < names.length; at += 60) {
        const tunnel = await openTunnel(hospital.outboundOf('agent-d', lane), '10.96.0.10:8080')
        const headers = { 'actor-chain': chain, ...Object.fromEntries(names.slice(at, at + 60).map(toField)) }
        const { status, body } = await (version === 'HTTP/2'
          ? sendHttp2(tunnel, { ':method': 'GET', ':path': '/coverage/p-7', ...headers })
          : sendByHttp1(tunnel, headers))
        expect(status, body).to.equal(200)
        received.push(...headerNamesOf(body))
      }
      return received
    }

    for (const version of ['HTTP/1.1', 'HTTP/2'] as const) {
      it(`${version}: Envoy itself passes every one of them on`, async () => {
        expect(await send(version, 'bare', twins)).to.include.members(twins)
      })

      it(`${version}: the callee gets none that it could take for ours`, async () => {
        const received = await send(version, 'guarded', [...owned.filter(isFree), ...twins, ...foreign])
        const ours = new Set(owned.map(foldName))
        const taken = new Set(received.filter((name) => ours.has(foldName(name))))
        // The waypoint's own, in its one spelling.
        expect([...taken]).to.deep.equal(peer === 'xfcc' ? ['x-forwarded-client-cert'] : [])
        expect(received).to.include.members(foreign)
      })
    }
  })
}

/** The chain is sent once, as a chain; the identity is the waypoint's to set. */
function isFree(name: string): boolean {
  return name !== 'actor-chain' && name !== 'x-forwarded-client-cert'
}

function toField(name: string): readonly [string, string] {
  return [name, '/admin']
}

function sendByHttp1(
  tunnel: Parameters<typeof sendRaw>[0],
  headers: Readonly<Record<string, string>>,
): Promise<RawAnswer> {
  const lines = Object.entries({ host: 'insurance', ...headers }).map(([name, value]) => `${name}: ${value}`)
  return sendRaw(tunnel, Buffer.from(`GET /coverage/p-7 HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1'))
}
