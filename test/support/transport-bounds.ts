import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import type { Event, Report } from '../../src/base/model/event.ts'
import { preface } from '../../src/envoy/http2/frames/frame-reader.ts'
import { flag } from '../../src/envoy/http2/frames/frames.ts'
import type { CallLimits } from '../../src/envoy/limits.ts'
import { createSharedMemory, type SharedMemory } from '../../src/envoy/memory.ts'
import type { CallHandler, GrpcListener, Transport } from '../../src/envoy/transport.ts'
import { frameMessage } from '../../src/envoy/unary-message.ts'
import { decodeCheckResponse, encodeCheckRequest } from './check-request.ts'
import { allowing, plainListener } from './grpc-listener.ts'
import { anyFrame, headersFrame } from './http2-session.ts'
import { createRawClient, type RawAnswer, type RawCall, type RawClient } from './raw-client.ts'

/** How a transport comes to listen within limits. */
export type CreateBounded = (
  listener: GrpcListener,
  handle: CallHandler,
  report: Report,
  limits: Partial<CallLimits>,
) => Promise<Transport>

const acknowledgement = anyFrame('settings', 0, Buffer.alloc(0), flag.ack)
const greeting = Buffer.concat([preface, anyFrame('settings', 0), acknowledgement])
const healthPath = '/grpc.health.v1.Health/Check'
const whole = frameMessage(encodeCheckRequest({ method: 'GET', path: '/' }))
/** The beginning of a message of 3.9 MB that never comes whole. */
const half = frameMessage(Buffer.alloc(3_900_000)).subarray(0, 15_000)

/** Adds tests of every transport against clients that hold or flood it. */
export function itBoundsWhatItHolds(create: CreateBounded): void {
  const open: AsyncDisposable[] = []
  const events: Event[] = []
  const listen = async (limits: Partial<CallLimits> = {}, maxTotalBytes = 1_000_000) => {
    const memory = createSharedMemory(maxTotalBytes)
    const report = (event: Event) => void events.push(event)
    const transport = await create({ ...plainListener, memory }, allowing, report, limits)
    open.push(transport)
    return { port: transport.port, memory }
  }
  const openClient = (port: number, ...options: [from?: string, settings?: object]): RawClient => {
    const client = createRawClient(port, ...options)
    open.push(client)
    return client
  }

  afterEach(async () => {
    events.length = 0
    for (const part of open.splice(0).toReversed()) await part[Symbol.asyncDispose]()
  })

  itBoundsBytes()
  itBoundsTime()
  itBoundsConnections()

  function itBoundsBytes(): void {
    for (const { name, path, maxConnectionBytes, maxBytes, clients } of [
      {
        name: 'of many connections',
        path: undefined,
        maxConnectionBytes: 1_000_000,
        maxBytes: 600_000,
        clients: 30,
      },
      {
        name: 'of one connection',
        path: undefined,
        maxConnectionBytes: 40_000,
        maxBytes: 40_000,
        clients: 1,
      },
      {
        name: 'of other methods',
        path: healthPath,
        maxConnectionBytes: 1_000_000,
        maxBytes: 600_000,
        clients: 30,
      },
    ]) {
      it(`holds messages ${name} that never come whole only up to its budget, and serves on`, async () => {
        const { port, memory } = await listen({ maxConnectionBytes }, 600_000)
        const attackers = Array.from({ length: clients }, () => openClient(port, '127.0.0.2'))
        const calls = attackers.flatMap((client) => [1, 2, 3, 4].map(() => client.ask([half], false, path)))
        await Promise.all(attackers.map((client) => client.heard()))
        expect(memory.usedBytes).to.be.within(1, maxBytes)
        expect(await answerOf(openClient(port).ask([whole], true))).to.equal('ok')
        const refused = await firstOf(calls.length - Math.floor(maxBytes / half.length), calls)
        if (path === undefined) expect(new Set(refused.map(codeOf))).to.deep.equal(new Set(['overloaded']))
      })
    }

    it('holds heads of streams on which nothing follows only up to its budget', async () => {
      const { port, memory } = await listen({ maxConnectionBytes: 100_000 })
      const client = openClient(port)
      const answers = Array.from({ length: 200 }, () => client.ask([], false).answer)
      const first = await Promise.race(answers)
      expect(codeOf(first)).to.equal('overloaded')
      await client.heard()
      expect(memory.usedBytes).to.be.at.most(100_000)
    })

    it('holds answers that a client does not let through only up to its budget', async () => {
      const { port, memory } = await listen({ maxConnectionBytes: 50_000 })
      const client = openClient(port, '127.0.0.2', { initialWindowSize: 0 })
      const answers = Array.from({ length: 200 }, () => client.ask([whole], true).answer)
      expect((await Promise.race(answers)).rstCode).to.not.equal(0)
      await client.heard()
      expect(memory.usedBytes).to.be.at.most(50_000)
      expect(await answerOf(openClient(port).ask([whole], true))).to.equal('ok')
    })

    it('holds nothing of what has been reset, answered or cut off', async () => {
      const { port, memory } = await listen()
      const client = createRawClient(port)
      for (let call = 0; call < 200; call++) {
        client.ask([half], false).stream.close()
        client.ask([half], false, healthPath).stream.close()
      }
      await client.ask([whole], true).answer
      await client.ask([whole], true, healthPath).answer
      client.ask([half], false)
      await client.heard()
      await client[Symbol.asyncDispose]()
      await untilFree(memory)
      expect(memory.usedBytes).to.equal(0)
    })
  }

  function itBoundsTime(): void {
    for (const { name, parts } of [
      { name: 'whose message does not begin', parts: [] },
      { name: 'whose prefix is not whole', parts: [half.subarray(0, 3)] },
      { name: 'whose message is not whole', parts: [half] },
      { name: 'whose message is whole, but does not end', parts: [whole] },
    ]) {
      it(`denies a call ${name} in time, and holds nothing of it any more`, async () => {
        const { port, memory } = await listen({ requestMs: 1 })
        const answer = await openClient(port).ask(parts, false).answer
        expect([answer.status, codeOf(answer)]).to.deep.equal(['0', 'deadline_exceeded'])
        await untilFree(memory)
      })
    }

    it('denies a call that goes on and on, a little at a time', async () => {
      const { port, memory } = await listen({ requestMs: 1 }, 64_000_000)
      const { stream, answer } = openClient(port).ask([half.subarray(0, 5)], false)
      const drip = () => {
        if (!stream.destroyed) stream.write(Buffer.alloc(300), () => setImmediate(drip))
      }
      drip()
      expect(codeOf(await answer)).to.equal('deadline_exceeded')
      await untilFree(memory)
    })

    it('ends a call of another method that is not whole in time', async () => {
      const { port, memory } = await listen({ requestMs: 1 })
      const { status, rstCode } = await openClient(port).ask([half.subarray(0, 3)], false, healthPath).answer
      expect(status === '4' || rstCode !== 0).to.equal(true)
      await untilFree(memory)
    })

    it('resets a call whose answer is not let through in time', async () => {
      const { port, memory } = await listen({ stalledMs: 1 })
      const client = openClient(port, '127.0.0.1', { initialWindowSize: 0 })
      expect((await client.ask([whole], true).answer).rstCode).to.not.equal(0)
      await untilFree(memory)
    })

    for (const { name, frame } of [
      { name: 'a header block', frame: headersFrame(1, 0) },
      { name: 'a frame', frame: headersFrame(1).subarray(0, -1) },
    ]) {
      it(`ends a connection that does not end ${name}`, async () => {
        const { port } = await listen({ requestMs: 1, keepaliveMs: 1, keepaliveTimeoutMs: 1 })
        const socket = connect(port, '127.0.0.1').on('error', () => {})
        socket.resume().write(Buffer.concat([greeting, frame]))
        await once(socket, 'close')
        expect(socket.closed).to.equal(true)
      })
    }

    it('ends a connection that does not begin to speak', async () => {
      const { port } = await listen({ prefaceMs: 1 })
      const socket = connect(port, '127.0.0.1').resume()
      await once(socket, 'close')
      expect(endings()).to.deep.equal(['settings_timeout'])
    })
  }

  function itBoundsConnections(): void {
    it('lets an address that opens many connections keep no other one out', async () => {
      const { port } = await listen({ maxConnections: 10 })
      const sockets: Socket[] = []
      for (let count = 0; count < 30; count++) sockets.push(await openSilent(port, '127.0.0.2'))
      for (let client = 0; client < 4; client++) {
        expect(await answerOf(openClient(port, '127.0.0.3').ask([whole], true))).to.equal('ok')
      }
      expect(sockets.filter(({ closed }) => !closed).length).to.be.at.most(5)
      for (const socket of sockets) socket.destroy()
    })

    it('makes room at connections on which nothing was asked before those of clients that were served', async () => {
      const { port } = await listen({ maxConnections: 10 })
      const served = openClient(port, '127.0.0.2')
      expect(await answerOf(served.ask([whole], true))).to.equal('ok')
      const sockets: Socket[] = []
      for (let count = 0; count < 30; count++) sockets.push(await openSilent(port, '127.0.0.2'))
      expect(await answerOf(served.ask([whole], true))).to.equal('ok')
      expect(new Set(endings())).to.deep.equal(new Set(['too_many']))
      for (const socket of sockets) socket.destroy()
    })
  }

  function endings(): readonly string[] {
    return events.flatMap((event) => (event.kind === 'connection_ended' ? [event.why] : []))
  }
}

async function openSilent(port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  socket.on('error', () => {}).resume()
  await once(socket, 'connect')
  return socket
}

async function answerOf({ answer }: RawCall): Promise<string | undefined> {
  return decodeCheckResponse((await answer).message).kind
}

/** The answers of the calls that are answered first. */
function firstOf(count: number, calls: readonly RawCall[]): Promise<readonly RawAnswer[]> {
  return new Promise((resolve) => {
    const answers: RawAnswer[] = []
    for (const { answer } of calls) {
      void answer.then((each) => {
        if (answers.push(each) === count) resolve(answers)
      })
    }
  })
}

function codeOf({ message }: RawAnswer): unknown {
  return decodeCheckResponse(message).body?.['code']
}

/** Mocha's own limit ends it when what was held is never let go. */
async function untilFree(memory: SharedMemory): Promise<void> {
  while (memory.usedBytes > 0) await nextTurn()
}
