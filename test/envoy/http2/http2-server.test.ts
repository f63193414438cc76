import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import { expect } from 'chai'
import { createCa } from '../../../demo/ca.ts'
import { preface } from '../../../src/envoy/http2/frames/frame-reader.ts'
import { frameType } from '../../../src/envoy/http2/frames/frames.ts'
import { createHttp2Transport } from '../../../src/envoy/http2/http2-server.ts'
import type { Limits } from '../../../src/envoy/http2/limits.ts'
import type { CallHandler } from '../../../src/envoy/transport.ts'
import { frameMessage } from '../../../src/envoy/unary-message.ts'
import { decodeCheckResponse } from '../../support/check-request.ts'
import { check, createGrpcClient } from '../../support/grpc-client.ts'
import { echoing, plainListener } from '../../support/grpc-listener.ts'
import { callFrames, checkPath, parseFrames, settingsFrame, watchPath } from '../../support/http2-session.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { itBoundsWhatItHolds } from '../../support/transport-bounds.ts'
import { itReportsHealth } from '../../support/transport-health.ts'
import { itListensOnSockets } from '../../support/transport-sockets.ts'
import { itCarriesCalls } from '../../support/transport-suite.ts'
import { replaceWallClock } from '../../support/wall-clock.ts'

const listen = (handle: CallHandler = echoing, limits: Partial<Limits> = {}) =>
  createHttp2Transport(plainListener, handle, () => {}, limits)

describe('envoy/http2/http2-server', () => {
  itCarriesCalls(createHttp2Transport)
  itListensOnSockets(createHttp2Transport)
  itReportsHealth(createHttp2Transport)
  itBoundsWhatItHolds(createHttp2Transport)

  it('denies what is larger than it takes: a gRPC error would obey `failure_mode_allow`', async () => {
    await using transport = await listen()
    const answer = decodeCheckResponse(await check(transport.port, Buffer.alloc(5_000_000)))
    expect(answer).to.include({ kind: 'denied', status: 7, httpStatus: 403 })
  })

  it('tells a watcher of every change, and of the end', async () => {
    const transport = await listen()
    const watch = openWatch(transport.port)
    expect(await watch.next()).to.equal(2)
    transport.setServing(true)
    expect(await watch.next()).to.equal(1)
    transport.setServing(false)
    expect(await watch.next()).to.equal(2)
    const drained = transport.drain(5000)
    expect(await watch.end).to.equal(status.UNAVAILABLE)
    await drained
    watch.close()
  })

  it('tells nghttp2, when it wants no table, that there is none', async () => {
    await using transport = await listen()
    const session = connectHttp2(`http://127.0.0.1:${transport.port}`, { settings: { headerTableSize: 0 } })
    const statuses: unknown[] = []
    for (let call = 0; call < 3; call++) {
      const stream = session.request({
        ':method': 'POST',
        ':path': checkPath,
        'content-type': 'application/grpc',
        te: 'trailers',
      })
      stream.on('trailers', (trailers) => statuses.push(trailers['grpc-status']))
      stream.end(frameMessage(Buffer.from('a')))
      stream.resume()
      await once(stream, 'close')
    }
    session.close()
    expect(statuses).to.deep.equal(['0', '0', '0'])
  })

  it('drops a peer that asks and never reads, with bounded memory, and serves the others', async () => {
    await using transport = await listen(echoing, { stalledMs: 300 })
    const socket = connect(transport.port, '127.0.0.1').on('error', () => {})
    socket.pause()
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.write(Buffer.concat([preface, settingsFrame(0x4, 0x7fff_ffff), openWindow]))
    const before = process.memoryUsage().rss
    const message = Buffer.alloc(16_000)
    let id = 1
    const ask = () => {
      while (socket.writable && socket.writableLength < 1_000_000) {
        socket.write(callFrames(id, message))
        id += 2
      }
    }
    socket.on('drain', ask)
    ask()
    const client = createGrpcClient(transport.port)
    for (let call = 0; call < 20; call++) {
      expect((await client.check(Buffer.from('other'))).toString()).to.equal('other')
    }
    client.close()
    await closed
    expect(process.memoryUsage().rss - before).to.be.below(100 * 1024 * 1024)
  })

  it('closes on a peer that says nothing', async () => {
    await using transport = await listen(echoing, { prefaceMs: 50 })
    expect(await lastFrameOf(transport.port)).to.equal(frameType.goaway)
  })

  it('closes on a peer that says nothing, though the wall clock stands still', async () => {
    const nowMs = Date.now()
    using _clock = replaceWallClock(() => nowMs)
    await using transport = await listen(echoing, { prefaceMs: 50 })
    expect(await lastFrameOf(transport.port)).to.equal(frameType.goaway)
  })

  it('sends a connection away whose TLS handshake ends after draining began', async () => {
    const { tls, ca } = createTls()
    const transport = await createHttp2Transport({ ...plainListener, tls }, echoing, () => {})
    const socket = connect(transport.port, '127.0.0.1')
    await once(socket, 'connect')
    // Connections are taken in their order, so once this one is served the other has been taken.
    const client = createGrpcClient(transport.port, { ca })
    await client.check(Buffer.from('a'))
    client.close()
    const drained = transport.drain(60_000)
    const secure = connectTls({ socket, ALPNProtocols: ['h2'], rejectUnauthorized: false })
    secure.resume().write(Buffer.concat([preface, settingsFrame(0x4, 1000)]))
    await drained
    expect(secure.readableEnded || secure.destroyed).to.equal(true)
  })

  it('closes on a TLS client that speaks no HTTP/2', async () => {
    const { tls } = createTls()
    await using transport = await createHttp2Transport({ ...plainListener, tls }, echoing, () => {})
    const secure = connectTls({ port: transport.port, host: '127.0.0.1', rejectUnauthorized: false })
    let heard = 0
    secure.on('data', (bytes: Buffer) => {
      heard += bytes.length
    })
    await new Promise((resolve) => secure.on('error', () => {}).on('close', resolve))
    expect(heard).to.equal(0)
  })

  it('loses no call when it drains under load', async () => {
    const transport = await listen(
      (request, call) => new Promise((resolve) => setImmediate(() => resolve(echoing(request, call)))),
    )
    const codes: unknown[] = []
    let isDraining = false
    let tellBusy = () => {}
    const busy = new Promise<void>((resolve) => {
      tellBusy = resolve
    })
    const clients = Array.from({ length: 4 }, () => createGrpcClient(transport.port))
    const work = clients.map(async (client) => {
      while (!isDraining) {
        const answers = Array.from({ length: 20 }, () => client.check(Buffer.from('a')))
        codes.push(...(await Promise.allSettled(answers)).map((answer) => toCode(answer)))
        if (codes.length > 400) tellBusy()
      }
    })
    await busy
    const drained = transport.drain(5000)
    isDraining = true
    await Promise.all(work)
    await drained
    for (const client of clients) client.close()
    expect(codes.filter((code) => code !== 'ok')).to.deep.equal([])
  })
})

/** The type of the last frame that a client hears which says nothing, once the server has closed. */
async function lastFrameOf(port: number): Promise<number | undefined> {
  const heard: Buffer[] = []
  const socket = connect(port, '127.0.0.1').on('data', (bytes: Buffer) => heard.push(bytes))
  await once(socket, 'end')
  return parseFrames(Buffer.concat(heard)).at(-1)?.type
}

function createTls() {
  const ca = createCa(temporaryDirectory(), 'hospital.example')
  const own = ca.issue('waywarden', ['spiffe://hospital.example/ns/waywarden/sa/waywarden'])
  const certificates = { cert: readFileSync(own.chain), key: readFileSync(own.key), clientCa: undefined }
  const tls = { current: () => certificates, onChange: () => () => {} }
  return { tls, ca: readFileSync(ca.trustedCa, 'utf8') }
}

const openWindow = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0, 0, 0])

function toCode(answer: PromiseSettledResult<unknown>): unknown {
  return answer.status === 'fulfilled' ? 'ok' : answer.reason
}

/** A grpc-js client's watch of the whole server; statuses come one by one. */
function openWatch(port: number) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  const statuses: number[] = []
  let wake = () => {}
  const call = client.makeServerStreamRequest(
    watchPath,
    (bytes: Buffer) => bytes,
    (bytes: Buffer) => bytes[1] ?? 0,
    Buffer.alloc(0),
    new Metadata(),
  )
  const end = new Promise((resolve) => {
    call.on('error', (fault: { code?: unknown }) => resolve(fault.code))
  })
  call.on('data', (value: number) => {
    statuses.push(value)
    wake()
  })
  const next = async (): Promise<number | undefined> => {
    if (statuses.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return statuses.shift()
  }
  return { next, end, close: () => client.close() }
}
