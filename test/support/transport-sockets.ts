import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Event } from '../../src/base/model/event.ts'
import { type GrpcListener, type Transport, TransportError } from '../../src/envoy/transport.ts'
import { decodeCheckResponse, encodeCheckRequest } from './check-request.ts'
import { check } from './grpc-client.ts'
import { allowing, commonOptions } from './grpc-listener.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import type { CreateTransport } from './transport-suite.ts'

const request = encodeCheckRequest({ method: 'GET', path: '/' })

/** Adds tests of every transport on a Unix socket. */
export function itListensOnSockets(create: CreateTransport): void {
  const events: Event[] = []
  const listen = (path: string, mode = 0o600): Promise<Transport> => {
    const listener: GrpcListener = { ...commonOptions, path, mode }
    return create(listener, allowing, (event) => events.push(event))
  }

  it('listens on a Unix socket with the mode that it is given, and takes its file away when it drains', async () => {
    const path = join(temporaryDirectory(), 'ext-authz.sock')
    const transport = await listen(path, 0o660)
    expect(transport).to.include({ address: `unix://${path}`, port: 0 })
    expect(events).to.deep.equal([{ kind: 'listening', what: 'ext_authz', address: `unix://${path}` }])
    expect(statSync(path).mode & 0o777).to.equal(0o660)
    expect(decodeCheckResponse(await check(transport.address, request))).to.include({ kind: 'ok' })
    await transport.drain(5000)
    expect(existsSync(path)).to.equal(false)
  })

  it('replaces no Unix socket on which somebody answers', async () => {
    const path = join(temporaryDirectory(), 'ext-authz.sock')
    await using first = await listen(path)
    const fault = await listen(path).catch((cause: unknown) => cause)
    expect(fault).to.be.instanceOf(TransportError)
    expect(decodeCheckResponse(await check(first.address, request))).to.include({ kind: 'ok' })
  })
}
