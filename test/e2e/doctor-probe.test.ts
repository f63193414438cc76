import { createServer, type Server } from 'node:net'
import { expect } from 'chai'
import { type Hospital, startHospital } from '../../demo/hospital.ts'
import { openTunnel } from '../../demo/mesh.ts'
import { warmUp } from '../../demo/scenario.ts'
import { findService, type Lane } from '../../demo/world.ts'
import { run } from '../support/terminal.ts'

describe('doctor --probe through Envoy', () => {
  for (const peer of ['xfcc', 'metadata'] as const) {
    describe(`peer: ${peer}`, () => {
      let hospital: Hospital

      before(async () => {
        hospital = await startHospital({ peer })
        await warmUp(hospital)
      })
      after(() => hospital[Symbol.asyncDispose]())

      for (const { to, path } of [
        { to: 'patient-records', path: '/patients/p-7' },
        { to: 'insurance', path: '/coverage/p-7' },
      ] as const) {
        it(`finds that lies to ${to} change nothing`, async () => {
          expect(await probe(hospital, 'guarded', to, path)).to.deep.equal({ code: 0, ids: [] })
        })
      }

      it('finds a way on which nobody asks Waywarden', async () => {
        expect(await probe(hospital, 'bare', 'insurance', '/coverage/p-7')).to.deep.equal({
          code: 1,
          ids: ['probe_unguarded'],
        })
      })

      it('finds a waypoint that asks and gets no answer, and one that is not there', async () => {
        await hospital.stopWaywarden()
        expect(await probe(hospital, 'guarded', 'insurance', '/coverage/p-7')).to.deep.equal({
          code: 1,
          ids: ['probe_not_answered'],
        })
        const { code, out } = await run(['doctor', '--json', '--probe', 'http://127.0.0.1:1/'])
        expect([code, idsOf(out)]).to.deep.equal([1, ['probe_failed']])
      })
    })
  }
})

/** The findings when agent D runs doctor in its pod. */
async function probe(
  hospital: Hospital,
  lane: Lane,
  to: 'insurance' | 'patient-records',
  path: string,
): Promise<{ readonly code: number; readonly ids: readonly string[] }> {
  const { vip, vipPort } = findService(to)
  await using capture = await captureConnections(hospital.outboundOf('agent-d', lane), `${vip}:${vipPort}`)
  const { code, out } = await run(['doctor', '--json', '--probe', `http://127.0.0.1:${capture.port}${path}`])
  return { code, ids: idsOf(out) }
}

function idsOf(json: string): readonly string[] {
  const report: { readonly findings: readonly { readonly id: string }[] } = JSON.parse(json)
  return report.findings.map(({ id }) => id)
}

/** Stands for the kernel of an ambient pod: whatever connects here is led through ztunnel to the VIP. */
async function captureConnections(
  outboundPort: number,
  address: string,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server: Server = createServer((socket) => {
    openTunnel(outboundPort, address).then(
      (tunnel) => {
        socket.on('error', () => tunnel.destroy())
        tunnel.on('error', () => socket.destroy())
        socket.pipe(tunnel).pipe(socket)
      },
      () => socket.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
