import { expect } from 'chai'
import protobuf from 'protobufjs'
import type { Transport } from '../../src/envoy/transport.ts'
import { allowing, plainListener } from './grpc-listener.ts'
import { type CreateTransport, field, grpcCall } from './transport-suite.ts'

const healthPath = '/grpc.health.v1.Health/Check'
const serving = 1
const notServing = 2

/** Adds tests of every transport's health service. */
export function itReportsHealth(create: CreateTransport): void {
  const listen = (): Promise<Transport> => create(plainListener, allowing, () => {})

  for (const service of ['', 'envoy.service.auth.v3.Authorization']) {
    it(`reports the health of \`${service}\`: not serving until told so, and no more when told otherwise`, async () => {
      await using transport = await listen()
      const seen: number[] = []
      for (const isServing of [undefined, true, false]) {
        if (isServing !== undefined) transport.setServing(isServing)
        seen.push((await grpcCall(transport.port, healthPath, field(1, service)))[1] ?? 0)
      }
      expect(seen).to.deep.equal([notServing, serving, notServing])
    })
  }

  it('lists the health of all it serves', async () => {
    await using transport = await listen()
    transport.setServing(true)
    const entries = ['', 'envoy.service.auth.v3.Authorization'].map((service) =>
      bytesField(1, Buffer.concat([field(1, service), bytesField(2, Buffer.from([0x08, serving]))])),
    )
    const listed = await grpcCall(transport.port, '/grpc.health.v1.Health/List', Buffer.alloc(0))
    expect(listed).to.deep.equal(Buffer.concat(entries))
  })
}

function bytesField(number: number, bytes: Uint8Array): Buffer {
  return Buffer.from(
    protobuf.Writer.create()
      .uint32((number << 3) | 2)
      .bytes(bytes)
      .finish(),
  )
}
