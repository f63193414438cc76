import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { type Ca, createCa } from '../../demo/ca.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { parseSpiffeId } from '../../src/base/model/spiffe-id.ts'
import { createGrpcTransport } from '../../src/envoy/grpc-js/grpc-js-server.ts'
import { createHttp2Transport } from '../../src/envoy/http2/http2-server.ts'
import { type Certificates, parseUriSans } from '../../src/envoy/tls.ts'
import type { CallHandler, Transport } from '../../src/envoy/transport.ts'
import { encodeCheckRequest } from '../support/check-request.ts'
import { check, createGrpcClient } from '../support/grpc-client.ts'
import { echoing, plainListener, recordingHandler } from '../support/grpc-listener.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const request = encodeCheckRequest({ method: 'GET', path: '/' })

const waypoint = 'spiffe://hospital.example/ns/hospital/sa/waypoint'

describe('envoy/tls', () => {
  for (const { name, input, want } of [
    { name: 'no name', input: '', want: [] },
    { name: 'one URI', input: `URI:${waypoint}`, want: [waypoint] },
    {
      name: 'a URI among other names',
      input: `DNS:a.b, URI:${waypoint}, IP Address:10.0.0.1`,
      want: [waypoint],
    },
    { name: 'two URIs', input: `URI:${waypoint}, URI:spiffe://a/b`, want: [waypoint, 'spiffe://a/b'] },
    { name: 'names that are no URI', input: 'DNS:uri, email:URI@a.b', want: [] },
  ]) {
    it(`finds the URIs in ${name}`, () => expect(parseUriSans(input)).to.deep.equal(want))
  }

  for (const { name, input } of [
    { name: 'a DNS name that holds a comma and a URI', input: `DNS:"x, URI:${waypoint}"` },
    { name: 'a URI that holds a comma and another URI', input: `URI:"spiffe://a/b, URI:${waypoint}"` },
    { name: 'a URI that holds a NUL', input: `URI:"${waypoint}\\u0000.evil"` },
    { name: 'a quote that does not end', input: `DNS:"x, URI:${waypoint}` },
    { name: 'a quote within a name', input: `DNS:x", URI:${waypoint}` },
    { name: 'text without a type', input: waypoint },
    { name: 'a list that becomes unreadable after a URI', input: `URI:${waypoint}, DNS:x"y` },
    { name: 'another separator', input: `DNS:x,URI:${waypoint}` },
  ]) {
    it(`finds no SPIFFE ID in ${name}`, () => {
      const ids = parseUriSans(input).filter((uri) => !isInvalid(parseSpiffeId(uri)))
      expect(ids).to.deep.equal([])
    })
  }
})

for (const { transport, create } of [
  { transport: 'grpc-js', create: createGrpcTransport },
  { transport: 'lean', create: createHttp2Transport },
]) {
  describe(`envoy/tls, over a connection of ${transport}`, () => {
    const listen = (handle: CallHandler, certificates: Certificates): Promise<Transport> => {
      const tls = { current: () => certificates, onChange: () => () => {} }
      return create({ ...plainListener, tls }, handle, () => {})
    }
    let ca: Ca
    let otherCa: Ca
    let tls: Certificates
    before(() => {
      ca = createCa(temporaryDirectory(), 'hospital.example')
      otherCa = createCa(temporaryDirectory(), 'hospital.example')
      const own = ca.issue('waywarden', ['spiffe://hospital.example/ns/waywarden/sa/waywarden'])
      tls = {
        cert: readFileSync(own.chain),
        key: readFileSync(own.key),
        clientCa: readFileSync(ca.trustedCa),
      }
    })
    const clientTls = (issuer: Ca, name: string, uris: readonly string[]) => {
      const files = issuer.issue(name, uris)
      return { ca: read(ca.trustedCa), cert: read(files.chain), key: read(files.key) }
    }

    for (const { name, uris } of [
      { name: 'the one identity', uris: [waypoint] },
      { name: 'every identity', uris: [waypoint, 'spiffe://hospital.example/ns/evil/sa/evil'] },
    ]) {
      it(`passes on ${name} that the peer proved, on every call of a connection`, async () => {
        const { contexts, handle } = recordingHandler()
        await using transport = await listen(handle, tls)
        const client = createGrpcClient(transport.port, clientTls(ca, 'peer', uris))
        for (let call = 0; call < 3; call++) await client.check(request)
        client.close()
        expect(contexts.map(({ tlsPeerUris }) => tlsPeerUris)).to.deep.equal([uris, uris, uris])
      })
    }

    it('passes on no SPIFFE ID when a certificate hides one in another URI', async () => {
      const { contexts, handle } = recordingHandler()
      await using transport = await listen(handle, tls)
      await check(transport.port, request, {}, clientTls(ca, 'peer', [`spiffe://a/b, URI:${waypoint}`]))
      expect(contexts[0]?.tlsPeerUris).to.have.length(1)
      expect(contexts[0]?.tlsPeerUris).not.to.include(waypoint)
    })

    for (const { name, clientOf } of [
      { name: 'without a certificate', clientOf: () => ({ ca: read(ca.trustedCa) }) },
      {
        name: 'with a certificate of another authority',
        clientOf: () => clientTls(otherCa, 'other', [waypoint]),
      },
      { name: 'in plaintext', clientOf: () => undefined },
    ]) {
      it(`takes no call from a client ${name}`, async () => {
        const { contexts, handle } = recordingHandler()
        await using transport = await listen(handle, tls)
        const client = createGrpcClient(transport.port, clientOf())
        const fault = await client.check(request, {}, 1000).catch((cause: unknown) => cause)
        client.close()
        expect(fault).to.be.instanceOf(Error)
        expect(contexts).to.deep.equal([])
      })
    }

    it('shows a renewed certificate to the next client, and goes on asking for theirs', async () => {
      const { handle } = recordingHandler()
      const renewed = otherCa.issue('renewed', ['spiffe://hospital.example/ns/waywarden/sa/waywarden'])
      let current = tls
      let tellChange = () => {}
      const source = {
        current: () => current,
        onChange: (listener: () => void) => {
          const earlier = tellChange
          tellChange = () => {
            earlier()
            listener()
          }
          return () => {}
        },
      }
      await using transport = await create({ ...plainListener, tls: source }, handle, () => {})
      await check(transport.port, request, {}, clientTls(ca, 'peer', [waypoint]))
      current = {
        cert: readFileSync(renewed.chain),
        key: readFileSync(renewed.key),
        clientCa: readFileSync(otherCa.trustedCa),
      }
      tellChange()
      const trustOther = { ...clientTls(otherCa, 'other', [waypoint]), ca: read(otherCa.trustedCa) }
      await check(transport.port, request, {}, trustOther)
      const former = createGrpcClient(transport.port, {
        ...clientTls(ca, 'peer', [waypoint]),
        ca: read(otherCa.trustedCa),
      })
      expect(await former.check(request, {}, 1000).catch((cause: unknown) => cause)).to.be.instanceOf(Error)
      former.close()
    })

    it('carries many answers at once unharmed', async () => {
      await using transport = await listen(echoing, tls)
      const client = createGrpcClient(transport.port, clientTls(ca, 'peer', [waypoint]))
      const messages = Array.from({ length: 200 }, (_, index) => Buffer.alloc(index * 300, index))
      const answers = await Promise.all(messages.map((message) => client.check(message)))
      client.close()
      expect(answers.every((answer, index) => answer.equals(messages[index] ?? Buffer.alloc(0)))).to.equal(
        true,
      )
    })

    it('asks for no certificate when the listener does not', async () => {
      const { contexts, handle } = recordingHandler()
      await using transport = await listen(handle, { ...tls, clientCa: undefined })
      await check(transport.port, request, {}, clientTls(ca, 'peer', [waypoint]))
      expect(contexts[0]?.tlsPeerUris).to.deep.equal([])
    })
  })
}

function read(path: string): string {
  return readFileSync(path, 'utf8')
}
