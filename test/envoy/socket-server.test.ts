import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import { createCa } from '../../demo/ca.ts'
import { createSocketServer } from '../../src/envoy/socket-server.ts'
import type { Certificates } from '../../src/envoy/tls.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const waypoint = 'spiffe://hospital.example/ns/hospital/sa/waypoint'

describe('envoy/socket-server', () => {
  let certificates: Certificates
  before(() => {
    const ca = createCa(temporaryDirectory(), 'hospital.example')
    const own = ca.issue('waywarden', ['spiffe://hospital.example/ns/waywarden/sa/waywarden'])
    const read = (path: string) => readFileSync(path)
    certificates = { cert: read(own.chain), key: read(own.key), clientCa: read(ca.trustedCa) }
  })
  /** A server, and the identities of its accepted clients. */
  const build = () => {
    const seen: (readonly string[])[] = []
    const source = { current: () => certificates, onChange: () => () => {} }
    const server = createSocketServer(source, 1000, (_socket, uris) => seen.push(uris))
    return { server, seen }
  }
  /** A connection after its handshake, as node:tls hands it over. */
  const secured = (overlay: object) =>
    Object.assign(new PassThrough(), {
      alpnProtocol: 'h2',
      authorized: true,
      getPeerCertificate: () => ({ subjectaltname: `URI:${waypoint}` }),
      ...overlay,
    })

  it('hands over what the peer has proven', () => {
    const { server, seen } = build()
    server.emit('secureConnection', secured({}))
    expect(seen).to.deep.equal([[waypoint]])
  })

  it('believes no certificate that was not verified', () => {
    const { server, seen } = build()
    server.emit('secureConnection', secured({ authorized: false }))
    expect(seen).to.deep.equal([[]])
  })

  for (const alpnProtocol of ['http/1.1', false]) {
    it(`lets nobody speak who has agreed on ${alpnProtocol || 'nothing'} instead of HTTP/2`, () => {
      const { server, seen } = build()
      const socket = secured({ alpnProtocol })
      server.emit('secureConnection', socket)
      expect(seen).to.deep.equal([])
      expect(socket.destroyed).to.equal(true)
    })
  }
})
