import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import { decodeCheckRequest } from '../../../src/envoy/codec/decode.ts'
import { checkRequestType } from '../../support/check-request.ts'
import { decodePlainly } from '../../support/plain-decoder.ts'

const address = { socket_address: { address: '10.0.0.1', port_value: 5432 } }
const destination = { address }
const call = { metadata: new Map([['x-waypoint-peer-principal', ['spiffe://a/b']]]), tlsPeerUris: [] }

describe('envoy/codec/decode, of a connection without HTTP', () => {
  it('reads where it goes, who calls, and nothing else', () => {
    const bytes = encode({ source: { principal: 'spiffe://a/b' }, destination })
    expect(decodeCheckRequest(bytes, call)).to.deep.equal({
      sourcePrincipal: 'spiffe://a/b',
      destinationAddress: '10.0.0.1:5432',
      method: '',
      path: '',
      host: '',
      headers: new Map(),
      ...call,
    })
  })

  for (const { name, attributes } of [
    { name: 'a connection that goes nowhere', attributes: { source: { principal: 'spiffe://a/b' } } },
    { name: 'a connection to a pipe', attributes: { destination: { address: { pipe: { path: '/x' } } } } },
    { name: 'an empty request', attributes: { destination, request: {} } },
    { name: 'a request that is no HTTP', attributes: { destination, request: { time: { seconds: 1 } } } },
    { name: 'an empty HTTP request', attributes: { destination, request: { http: {} } } },
    {
      name: 'an HTTP request without a method',
      attributes: { destination, request: { http: { path: '/', headers: { a: 'b' } } } },
    },
    {
      name: 'an HTTP request without a path',
      attributes: { destination, request: { http: { method: 'GET' } } },
    },
  ]) {
    it(`never takes ${name} for one`, () => {
      const bytes = encode(attributes)
      for (const input of [decodeCheckRequest(bytes, call), decodePlainly(bytes)])
        expect(isDeny(input) && input.code).to.equal('request_malformed')
    })
  }
})

function encode(attributes: object): Uint8Array {
  return checkRequestType.encode(checkRequestType.fromObject({ attributes })).finish()
}
