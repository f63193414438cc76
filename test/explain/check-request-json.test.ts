import { expect } from 'chai'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { parseCheckRequestJson } from '../../src/explain/check-request-json.ts'

const http = { method: 'GET', path: '/x', host: 'h' }

function parse(value: unknown): Exclude<ReturnType<typeof parseCheckRequestJson>, { kind: 'invalid' }> {
  const captured = parseCheckRequestJson(JSON.stringify(value))
  if (isInvalid(captured)) throw new TypeError(captured.reason)
  return captured
}

describe('explain/check-request-json', () => {
  it('reads fields in the spelling of the proto and in that of protobuf’s JSON', () => {
    const snake = { socket_address: { address: '10.0.0.1', port_value: 80 } }
    const camel = { socketAddress: { address: 'fd00::1', portValue: 443 } }
    const of = (address: object) =>
      parse({ attributes: { destination: { address }, request: { http } } }).input.destinationAddress
    expect([of(snake), of(camel), of({})]).to.deep.equal(['10.0.0.1:80', '[fd00::1]:443', ''])
  })

  it('reads headers from either place, each value for itself', () => {
    const raw = Buffer.from('b').toString('base64')
    const headers = [
      { key: 'x', value: 'a' },
      { key: 'x', raw_value: raw },
    ]
    const { input } = parse({ attributes: { request: { http: { ...http, header_map: { headers } } } } })
    expect(input.headers.get('x')).to.deep.equal(['a', 'b'])
    const plain = parse({ attributes: { request: { http: { ...http, headers: { y: 'c' } } } } })
    expect(plain.input.headers.get('y')).to.deep.equal(['c'])
  })

  it('reads a case with its peer and metadata', () => {
    const request = { attributes: { source: { principal: 'p' }, request: { http } } }
    const captured = parse({ peer: 'metadata', metadata: { k: ['v'] }, request })
    expect(captured.peer).to.equal('metadata')
    expect(captured.input.metadata.get('k')).to.deep.equal(['v'])
    expect(captured.input.sourcePrincipal).to.equal('p')
  })

  it('reads a connection, which has a destination and no request', () => {
    const address = { socket_address: { address: '10.0.0.1', port_value: 5432 } }
    const { input } = parse({ attributes: { destination: { address } } })
    expect(input).to.include({ destinationAddress: '10.0.0.1:5432', method: '', path: '', host: '' })
    expect(input.headers.size).to.equal(0)
  })

  it('takes no request without a method for a connection', () => {
    const address = { socket_address: { address: '10.0.0.1', port_value: 5432 } }
    for (const request of [{}, { http: { ...http, method: '' } }]) {
      const captured = parseCheckRequestJson(
        JSON.stringify({ attributes: { destination: { address }, request } }),
      )
      expect(captured).to.include({ kind: 'invalid' })
    }
  })

  for (const text of [
    '{"attributes":{}}',
    '',
    '[]',
    '{}',
    '{"attributes":{"request":{}}}',
    '{"peer":"gossip","request":{}}',
  ]) {
    it(`refuses \`${text}\``, () => {
      expect(parseCheckRequestJson(text)).to.include({ kind: 'invalid' })
    })
  }
})
