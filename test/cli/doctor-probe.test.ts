import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { type RunningApp, startTestApp } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

/** The headers that a waypoint sends to Waywarden; `undefined` says what a sound one would. */
type Told = { readonly xfcc?: string | undefined; readonly destinationAddress?: string }

const insurance = '10.96.0.10:8080'

// test/e2e/doctor-probe.test.ts runs a real Envoy. The waypoints here are ones that no Istio generates.
describe('cli/doctor-probe', () => {
  let app: RunningApp

  before(async () => {
    app = await startTestApp(temporaryDirectory())
  })
  after(() => app[Symbol.asyncDispose]())

  const cases: readonly {
    readonly name: string
    readonly tell: (request: IncomingMessage) => Told
    readonly want: readonly string[]
  }[] = [
    { name: 'a sound waypoint', tell: () => ({}), want: [] },
    { name: 'one that does not say who calls', tell: () => ({ xfcc: '' }), want: ['probe_identity'] },
    {
      name: 'one that passes a forged header on',
      tell: ({ headers }) => {
        const forged = headers['x-forwarded-client-cert']
        return typeof forged === 'string' ? { xfcc: forged } : {}
      },
      want: ['probe_header_believed'],
    },
    {
      name: 'one that goes by the Host',
      tell: ({ headers }) => ({
        destinationAddress: headers.host?.startsWith('127.') ? insurance : '10.96.0.99:8080',
      }),
      want: ['probe_host_believed'],
    },
  ]
  for (const { name, tell, want } of cases) {
    it(`${name}: ${want.join(', ') || 'healthy'}`, async () => {
      expect(await probe(app, tell)).to.deep.equal(want)
    })
  }
})

async function probe(app: RunningApp, tell: (request: IncomingMessage) => Told): Promise<readonly string[]> {
  const server = createServer(async (request, response) => {
    const {
      httpStatus = 200,
      clientHeaders,
      body,
    } = await app.ask({
      destinationAddress: insurance,
      ...tell(request),
    })
    response.writeHead(httpStatus, clientHeaders).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A string stands for a pipe, `null` for a closed server; `listen` was given a port.
  const { port } = server.address() as AddressInfo
  const { out } = await run(['doctor', '--json', '--probe', `http://127.0.0.1:${port}/coverage/42`])
  server.close()
  const { findings }: { readonly findings: readonly { readonly id: string }[] } = JSON.parse(out)
  return findings.map(({ id }) => id)
}
