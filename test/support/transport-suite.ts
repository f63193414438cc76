import { connect } from 'node:net'
import { status } from '@grpc/grpc-js'
import { expect } from 'chai'
import protobuf from 'protobufjs'
import type { Event, Report } from '../../src/base/model/event.ts'
import type { CallHandler, Endpoint, GrpcListener, Transport } from '../../src/envoy/transport.ts'
import { TransportError } from '../../src/envoy/transport.ts'
import { decodeCheckResponse, encodeCheckRequest } from './check-request.ts'
import { check, createGrpcClient } from './grpc-client.ts'
import { allowing, noContext, plainListener, recordingHandler } from './grpc-listener.ts'
import { createRawClient } from './raw-client.ts'
import { unreadMessages } from './unread-messages.ts'
import { stepWallClock, wallClockSteps } from './wall-clock.ts'

const request = encodeCheckRequest({ method: 'GET', path: '/' })
const healthPath = '/grpc.health.v1.Health/Check'
const waypoint = 'spiffe://hospital.example/ns/hospital/sa/waypoint'

/** How a transport comes to listen. */
export type CreateTransport = (
  listener: GrpcListener,
  handle: CallHandler,
  report: Report,
) => Promise<Transport>

/** Adds the tests that every transport must pass. */
export function itCarriesCalls(create: CreateTransport): void {
  const open: Transport[] = []
  const events: Event[] = []
  const listen = async (handle: CallHandler, overrides: Partial<GrpcListener & Endpoint> = {}) => {
    const transport = await create({ ...plainListener, ...overrides }, handle, (event) => events.push(event))
    open.push(transport)
    return transport
  }

  afterEach(async () => {
    events.length = 0
    for (const transport of open.splice(0)) await transport[Symbol.asyncDispose]()
  })

  it('answers a Check, and says where it listens', async () => {
    const { port, address } = await listen(allowing)
    expect(decodeCheckResponse(await check(port, request))).to.include({ kind: 'ok', status: 0 })
    expect(address).to.equal(`127.0.0.1:${port}`)
    expect(events).to.deep.equal([{ kind: 'listening', what: 'ext_authz', address }])
  })

  for (const { name, bytes, code } of [
    { name: 'no bytes', bytes: Buffer.alloc(0), code: 'request_malformed' },
    { name: 'bytes that are no message', bytes: Buffer.from([0xff, 0xff]), code: 'request_malformed' },
    { name: 'two megabytes', bytes: Buffer.alloc(2 * 1024 * 1024), code: 'request_too_large' },
  ]) {
    it(`answers ${name} with a denial and not with a gRPC error`, async () => {
      const { port } = await listen(allowing)
      const response = decodeCheckResponse(await check(port, bytes))
      expect(response).to.include({ kind: 'denied', status: 7, httpStatus: 403 })
      expect(response.body).to.include({ code })
    })
  }

  for (const { name, handle } of faultyHandlers()) {
    it(`denies when the handler ${name}, and goes on`, async () => {
      const { port } = await listen(handle)
      for (let call = 0; call < 2; call++) {
        expect(decodeCheckResponse(await check(port, request))).to.include({ kind: 'denied', status: 7 })
      }
      expect(events.filter(({ kind }) => kind === 'fault')).to.have.length(2)
    })
  }

  it('answers many calls at once, each with its own answer whatever becomes of the others', async () => {
    const handlers = [allowing, ...faultyHandlers().map(({ handle }) => handle)]
    const pick = (bytes: Uint8Array) => handlers[bytes.length % handlers.length] ?? allowing
    const { port } = await listen((bytes, call) =>
      (bytes instanceof Uint8Array ? pick(bytes) : allowing)(bytes, call),
    )
    const requests = Array.from({ length: 60 }, (_, at) =>
      encodeCheckRequest({ method: 'GET', path: `/${'a'.repeat(at)}` }),
    )
    const client = createGrpcClient(port)
    const responses = await Promise.all(requests.map((bytes) => client.check(bytes)))
    client.close()
    const kinds = responses.map((response) => decodeCheckResponse(response).kind)
    expect(kinds).to.deep.equal(requests.map((bytes) => (pick(bytes) === allowing ? 'ok' : 'denied')))
    expect(new Set(requests.map(pick))).to.have.property('size', handlers.length)
  })

  it('passes on metadata as text, repeated keys with all their values, and no binary', async () => {
    const { contexts, handle } = recordingHandler()
    const { port } = await listen(handle)
    await check(port, request, {
      'x-waypoint-peer-principal': waypoint,
      'x-twice': ['a', 'b'],
      'x-bin': Buffer.from('a'),
    })
    const metadata = contexts[0]?.metadata
    expect(metadata?.get('x-waypoint-peer-principal')).to.deep.equal([waypoint])
    expect(metadata?.get('x-twice')?.join()).to.match(/^a, ?b$/)
    expect(metadata?.has('x-bin')).to.equal(false)
  })

  for (const { name, stepMs } of [{ name: 'as it was', stepMs: 0 }, ...wallClockSteps]) {
    it(`passes on when the client stops waiting, by the monotonic clock (wall clock ${name})`, async () => {
      const { contexts, handle } = recordingHandler()
      const { port } = await listen(handle)
      const client = createGrpcClient(port)
      const startMs = performance.now()
      {
        using _step = stepWallClock(stepMs)
        await client.check(request, {}, 60_000)
      }
      client.close()
      expect(contexts[0]?.deadlineMs).to.be.within(startMs + 50_000, performance.now() + 60_000)
    })
  }

  for (const { name, service, code } of [
    {
      name: 'an unknown method',
      service: '/envoy.service.auth.v3.Authorization/Allow',
      code: status.UNIMPLEMENTED,
    },
    {
      name: 'the API of another version',
      service: '/envoy.service.auth.v2.Authorization/Check',
      code: status.UNIMPLEMENTED,
    },
    {
      name: 'reflection, when it is not asked for',
      service: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      code: status.UNIMPLEMENTED,
    },
  ]) {
    it(`does not serve ${name}`, async () => {
      const { port } = await listen(allowing)
      expect(await grpcErrorOf(port, service, request)).to.equal(code)
    })
  }

  it('stays up when it gets bytes that are not HTTP/2', async () => {
    const { port } = await listen(allowing)
    await sendRaw(port, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    expect(decodeCheckResponse(await check(port, request))).to.include({ kind: 'ok' })
  })

  for (const { name, message, code } of unreadMessages()) {
    it(`denies ${name}: a gRPC error would obey \`failure_mode_allow\``, async () => {
      const { port } = await listen(allowing)
      await using client = createRawClient(port)
      const { status: grpcStatus, message: answered } = await client.ask([message], true).answer
      expect(grpcStatus).to.equal('0')
      expect(decodeCheckResponse(answered)).to.deep.include({ kind: 'denied', status: 7 })
      expect(decodeCheckResponse(answered).body).to.include({ code })
      expect(decodeCheckResponse(await check(port, request))).to.include({ kind: 'ok' })
    })
  }

  it('lets a call in flight finish when it drains, and takes no new one', async () => {
    const gate = createGate()
    const transport = await listen(() => gate.entered().then(() => allowing(request, noContext)))
    const client = createGrpcClient(transport.port)
    const inFlight = client.check(request)
    await gate.reached
    const drained = transport.drain(5000)
    gate.open()
    expect(decodeCheckResponse(await inFlight)).to.include({ kind: 'ok' })
    await drained
    expect(await grpcErrorOf(transport.port, healthPath, field(1, ''))).to.equal(status.UNAVAILABLE)
    client.close()
  })

  it('does not wait for a call that never ends when it drains', async () => {
    const gate = createGate()
    const transport = await listen(() => gate.entered().then(() => allowing(request, noContext)))
    const client = createGrpcClient(transport.port)
    const inFlight = client.check(request, {}, 60_000).catch((cause: unknown) => cause)
    await gate.reached
    await transport.drain(10)
    expect(await inFlight).to.be.instanceOf(Error)
    client.close()
  })

  it('names the fault when the port is taken', async () => {
    const { port } = await listen(allowing)
    const fault = await listen(allowing, { port }).catch((cause: unknown) => cause)
    expect(fault).to.be.instanceOf(TransportError).with.property('code', 'listen_failed')
  })
}

function faultyHandlers(): readonly { readonly name: string; readonly handle: CallHandler }[] {
  return [
    {
      name: 'throws',
      handle: () => {
        throw new Error('broken')
      },
    },
    { name: 'rejects', handle: () => Promise.reject(new Error('broken')) },
  ]
}

function createGate() {
  let open = () => {}
  let reach = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const entered = () => {
    reach()
    return opened
  }
  return { reached, entered, open: () => open() }
}

/** A protobuf message of one text field. */
export function field(number: number, value: string): Buffer {
  return Buffer.from(
    protobuf.Writer.create()
      .uint32((number << 3) | 2)
      .string(value)
      .finish(),
  )
}

/** Sends one unary call over a connection of its own. */
export async function grpcCall(port: number, path: string, bytes: Uint8Array): Promise<Buffer> {
  const client = createGrpcClient(port)
  try {
    return await client.call(path, bytes)
  } finally {
    client.close()
  }
}

async function grpcErrorOf(port: number, path: string, bytes: Uint8Array): Promise<unknown> {
  return grpcCall(port, path, bytes).then(
    () => 'no error',
    (fault: unknown) => (fault instanceof Error && 'code' in fault ? fault.code : fault),
  )
}

/** Sends bytes and waits until the server has closed the connection. */
function sendRaw(port: number, bytes: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
  })
}
