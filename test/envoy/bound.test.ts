import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import { createCa } from '../../demo/ca.ts'
import type { Event } from '../../src/base/model/event.ts'
import { createGrpcTransport } from '../../src/envoy/grpc-js/grpc-js-server.ts'
import { createHttp2Transport } from '../../src/envoy/http2/http2-server.ts'
import type { GrpcListener, Transport } from '../../src/envoy/transport.ts'
import { decodeCheckResponse, encodeCheckRequest } from '../support/check-request.ts'
import { check, createGrpcClient } from '../support/grpc-client.ts'
import { plainListener, recordingHandler } from '../support/grpc-listener.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const request = encodeCheckRequest({ method: 'GET', path: '/' })
const waypoint = 'spiffe://hospital.example/ns/hospital/sa/waypoint'

for (const { name, create } of [
  { name: 'grpc-js', create: createGrpcTransport },
  { name: 'lean', create: createHttp2Transport },
]) {
  describe(`envoy/bound, of connections that are handed to ${name}`, () => {
    const serve = async (tls?: GrpcListener['tls']) => {
      const { contexts, handle } = recordingHandler()
      let take = (_socket: Socket): void => {}
      const socketSource: GrpcListener['socketSource'] = (given) => {
        take = given
      }
      const transport = await create({ ...plainListener, tls, socketSource }, handle, () => {})
      const sockets: Socket[] = []
      const { port, close } = await acceptFor((socket) => {
        sockets.push(socket)
        take(socket)
      })
      const end = async () => {
        close()
        await transport[Symbol.asyncDispose]()
      }
      return { contexts, transport, port, sockets, [Symbol.asyncDispose]: end }
    }

    it('says where it is asked, and answers', async () => {
      await using served = await serve()
      expect(served.transport).to.include({ address: '127.0.0.1:0', port: 0 })
      expect(decodeCheckResponse(await check(served.port, request))).to.include({ kind: 'ok' })
    })

    it('believes what the client has proven by TLS', async () => {
      const ca = createCa(temporaryDirectory(), 'hospital.example')
      const [own, peer] = [ca.issue('own', ['spiffe://hospital.example/w']), ca.issue('peer', [waypoint])]
      const current = {
        cert: readFileSync(own.chain),
        key: readFileSync(own.key),
        clientCa: readFileSync(ca.trustedCa),
      }
      await using served = await serve({ current: () => current, onChange: () => () => {} })
      const read = (file: string) => readFileSync(file, 'utf8')
      const tls = { ca: read(ca.trustedCa), cert: read(peer.chain), key: read(peer.key) }
      await check(served.port, request, {}, tls)
      expect(served.contexts.map(({ tlsPeerUris }) => tlsPeerUris)).to.deep.equal([[waypoint]])
    })

    it('drains although a connection breaks meanwhile', async () => {
      await using served = await serve()
      const client = connect(served.port, '127.0.0.1').on('error', () => {})
      await once(client, 'data')
      const drained = drainAtLeisure(served.transport)
      // Once the server itself has closed, and only connections are waited for.
      await new Promise(setImmediate)
      for (const socket of served.sockets) socket.destroy(new Error('write EPIPE'))
      expect(await drained).to.equal(undefined)
      expect(served.sockets.map(({ destroyed }) => destroyed)).to.deep.equal([true])
    })

    it('drains handed connections, and accepts no more', async () => {
      await using served = await serve()
      const client = createGrpcClient(served.port)
      await client.check(request)
      await drainAtLeisure(served.transport)
      client.close()
      const late = connect(served.port, '127.0.0.1').on('error', () => {})
      await once(late, 'close')
      expect(late.bytesRead).to.equal(0)
    })
  })
}

describe('envoy/bound', () => {
  it('ends an older connection on which nothing was asked for one that is handed over beyond the limit', async () => {
    let take = (_socket: Socket): void => {}
    const socketSource: GrpcListener['socketSource'] = (given) => {
      take = given
    }
    const events: Event[] = []
    const report = (event: Event) => void events.push(event)
    const { handle } = recordingHandler()
    const limits = { maxConnections: 1 }
    await using _ = await createHttp2Transport({ ...plainListener, socketSource }, handle, report, limits)
    const { port, close } = await acceptFor((socket) => take(socket))
    const first = connect(port, '127.0.0.1').on('error', () => {})
    await once(first, 'data')
    const second = connect(port, '127.0.0.1')
    await once(first, 'close')
    expect(events).to.deep.equal([{ kind: 'connection_ended', why: 'too_many' }])
    second.destroy()
    close()
  })
})

async function acceptFor(take: (socket: Socket) => void): Promise<{ port: number; close: () => void }> {
  const server = createServer(take)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return { port, close: () => server.close() }
}

/** Longer than a test may take: nothing is ended before its time. */
function drainAtLeisure(transport: Transport): Promise<void> {
  return transport.drain(60_000)
}
