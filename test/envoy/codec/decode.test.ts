import { expect } from 'chai'
import protobuf from 'protobufjs'
import type { CheckInput } from '../../../src/base/model/check-input.ts'
import { isDeny } from '../../../src/base/model/decision.ts'
import { decodeCheckRequest } from '../../../src/envoy/codec/decode.ts'
import { encodeCheckRequest } from '../../support/check-request.ts'

const call = { metadata: new Map(), tlsPeerUris: [] }

describe('envoy/codec/decode', () => {
  it('reads what Envoy sends at a waypoint', () => {
    const bytes = encodeCheckRequest({
      method: 'GET',
      path: '/patients/7?full=1',
      host: 'patient-records',
      destinationAddress: '10.96.0.11:8080',
      headers: { ':path': '/patients/7?full=1', 'actor-chain': 'a.b.c', 'x-dup': '1,2' },
    })
    const metadata = new Map([['x-waypoint-peer-principal', ['spiffe://hospital.example/ns/a/sa/b']]])
    const tlsPeerUris = ['spiffe://hospital.example/ns/hospital/sa/waypoint']
    const input = decodeCheckRequest(bytes, { metadata, tlsPeerUris })
    if (isDeny(input)) throw new TypeError(input.reason)
    expect({ ...input, headers: new Map(input.headers) }).to.deep.equal({
      sourcePrincipal: '',
      destinationAddress: '10.96.0.11:8080',
      method: 'GET',
      path: '/patients/7?full=1',
      host: 'patient-records',
      headers: new Map([
        [':path', ['/patients/7?full=1']],
        ['actor-chain', ['a.b.c']],
        ['x-dup', ['1,2']],
      ]),
      metadata,
      tlsPeerUris,
    })
  })

  it('keeps repeated raw headers apart and in order', () => {
    const input = decoded([
      ['x-dup', '1'],
      ['other', 'x'],
      ['x-dup', '2'],
    ])
    expect([...input.headers]).to.deep.equal([
      ['x-dup', ['1', '2']],
      ['other', ['x']],
    ])
  })

  it('lets a foreign header with bytes that are not UTF-8 pass, as U+FFFD', () => {
    const input = decoded([['x-name', Buffer.from([0x4a, 0xe9])]])
    expect(input.headers.get('x-name')).to.deep.equal(['J\ufffd'])
  })

  it('takes names that mean something to JavaScript for mere names', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const input = decoded(names.map((name) => [name.toLowerCase(), 'x']))
    expect([...input.headers.keys()]).to.deep.equal(names.map((name) => name.toLowerCase()))
    expect(Object.keys(Object.prototype)).to.deep.equal([])
  })

  for (const [address, want] of [
    ['10.96.0.11:8080', '10.96.0.11:8080'],
    ['[fd00::1]:8080', '[fd00::1]:8080'],
  ] as const) {
    it(`writes the destination ${address} as the catalog does`, () => {
      const input = decodeCheckRequest(
        encodeCheckRequest({ method: 'GET', path: '/', destinationAddress: address }),
        call,
      )
      expect(isDeny(input) ? input.code : input.destinationAddress).to.equal(want)
    })
  }

  for (const { name, input } of malformed()) {
    it(`refuses ${name}`, () => expect(codeOf(input)).to.equal('request_malformed'))
  }

  for (const { name, input } of tolerated()) {
    it(`takes ${name}`, () => expect(codeOf(input)).to.equal('decoded'))
  }

  it('refuses a request that is too large, or has too many headers, under a code of its own', () => {
    const many = Array.from({ length: 513 }, (_, index) => [`x-${index}`, ''] as const)
    const large = encodeCheckRequest({ method: 'GET', path: '/', headers: { a: 'x'.repeat(128 * 1024) } })
    expect(codeOf(large)).to.equal('request_too_large')
    for (const headers of [many, Object.fromEntries(many)]) {
      expect(codeOf(encodeCheckRequest({ method: 'GET', path: '/', headers }))).to.equal('request_too_large')
    }
  })
})

type OddBytes = { readonly name: string; readonly input: Uint8Array }

function malformed(): readonly OddBytes[] {
  const method = text(2, 'GET')
  const path = text(4, '/')
  const entry = (name: string | Uint8Array, value: string | Uint8Array) =>
    text(3, Buffer.concat([text(1, name), text(2, value)]))
  const rawHeader = (...fields: readonly Buffer[]) => text(13, text(1, Buffer.concat(fields)))
  const port = (...values: readonly Buffer[]) =>
    destination(text(2, '10.0.0.1'), ...values.map((value) => Buffer.concat([Buffer.from([0x18]), value])))
  return [
    { name: 'no bytes', input: Buffer.alloc(0) },
    { name: 'a request without attributes', input: text(1, '') },
    { name: 'a connection without a port', input: attributes(text(2, destination(text(2, '10.0.0.1')))) },
    { name: 'an HTTP request without a method', input: http(path) },
    { name: 'an HTTP request without a path', input: http(method) },
    { name: 'text instead of protobuf', input: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
    { name: 'JSON instead of protobuf', input: Buffer.from('{"attributes":{}}') },
    { name: 'a truncated tag', input: Buffer.from([0x80]) },
    { name: 'field number 0', input: Buffer.concat([http(method, path), Buffer.from([0x02, 0x00])]) },
    {
      name: 'a tag of 64 bits',
      input: Buffer.concat([http(method, path), Buffer.from('8a808080808000', 'hex')]),
    },
    { name: 'a length beyond the end', input: Buffer.from([0x0a, 0x05, 0x00]) },
    { name: 'a length of 4 GiB', input: Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]) },
    { name: 'a negative length', input: Buffer.from(`0a${'ff'.repeat(9)}01`, 'hex') },
    {
      name: 'a varint of 11 bytes',
      input: Buffer.concat([http(method, path), Buffer.from(`f801${'80'.repeat(10)}01`, 'hex')]),
    },
    { name: 'ten thousand nested groups', input: Buffer.alloc(10_000, 0x0b) },
    {
      name: 'a group that ends at once',
      input: Buffer.concat([http(method, path), Buffer.from([0x7b, 0x7c])]),
    },
    { name: 'wire type 6', input: Buffer.concat([http(method, path), Buffer.from([0x7e])]) },
    { name: 'attributes as a varint', input: Buffer.from([0x08, 0x01]) },
    { name: 'a method as a varint', input: http(Buffer.from([0x10, 0x01]), path) },
    { name: 'a header as a fixed64', input: http(method, path, Buffer.from([0x19, 0, 0, 0, 0, 0, 0, 0, 0])) },
    { name: 'two methods', input: http(method, text(2, 'POST'), path) },
    { name: 'two paths', input: http(method, path, text(4, '/admin')) },
    { name: 'two attributes', input: Buffer.concat([http(method, path), http(method, path)]) },
    { name: 'a path that is not UTF-8', input: http(method, text(4, Buffer.from([0x2f, 0xff]))) },
    { name: 'an overlong UTF-8 slash', input: http(method, text(4, Buffer.from([0x2f, 0xc0, 0xaf]))) },
    { name: 'a surrogate in UTF-8', input: http(method, text(4, Buffer.from([0x2f, 0xed, 0xa0, 0x80]))) },
    { name: 'a map key that comes twice', input: http(method, path, entry('a', '1'), entry('a', '2')) },
    {
      name: 'a map entry with two keys',
      input: http(method, path, text(3, Buffer.concat([text(1, 'a'), text(1, 'b')]))),
    },
    { name: 'a joined header that is not UTF-8', input: http(method, path, entry('a', Buffer.from([0xff]))) },
    { name: 'a header name that is not UTF-8', input: http(method, path, entry(Buffer.from([0xff]), 'x')) },
    { name: 'a header without a name', input: http(method, path, entry('', 'x')) },
    { name: 'a header name in upper case', input: http(method, path, entry('Actor-Chain', 'x')) },
    {
      name: 'a raw header name in upper case',
      input: http(method, path, rawHeader(text(1, 'A'), text(3, 'x'))),
    },
    {
      name: 'headers and header_map at once',
      input: http(method, path, entry('a', '1'), rawHeader(text(1, 'a'), text(3, '2'))),
    },
    {
      name: 'a raw header with two values',
      input: http(method, path, rawHeader(text(1, 'a'), text(2, 'x'), text(3, 'y'))),
    },
    {
      name: 'a raw authorization that is not UTF-8',
      input: http(method, path, rawHeader(text(1, 'authorization'), text(3, Buffer.from([0xff])))),
    },
    {
      name: 'a raw XFCC that is not UTF-8',
      input: http(method, path, rawHeader(text(1, 'x-forwarded-client-cert'), text(3, Buffer.from([0xff])))),
    },
    {
      name: 'a port above 65535',
      input: attributes(text(2, port(Buffer.from('ffff7f', 'hex'))), httpField(method, path)),
    },
    {
      name: 'two ports',
      input: attributes(text(2, port(Buffer.from([0x50]), Buffer.from([0x51]))), httpField(method, path)),
    },
    {
      name: 'a port of 64 bits',
      input: attributes(text(2, port(Buffer.from('ffffffffffffffff01', 'hex'))), httpField(method, path)),
    },
  ]
}

function tolerated(): readonly OddBytes[] {
  const method = text(2, 'GET')
  const path = text(4, '/')
  return [
    { name: 'a request without host, headers and destination', input: http(method, path) },
    {
      name: 'fields that a newer Envoy may add',
      input: http(method, path, text(500, 'new'), Buffer.from([0xa0, 0x1f, 0x05])),
    },
    {
      name: 'unknown fixed-width fields',
      input: http(
        method,
        path,
        Buffer.from('a51f01020304', 'hex'),
        Buffer.from('a11f0102030405060708', 'hex'),
      ),
    },
    {
      name: 'a request size of 64 bits',
      input: http(method, path, Buffer.from('48ffffffffffffff7f', 'hex')),
    },
    {
      name: 'a request of unknown size, -1',
      input: http(method, path, Buffer.from(`48${'ff'.repeat(9)}01`, 'hex')),
    },
    {
      name: 'a header of 60 KiB',
      input: encodeCheckRequest({ method: 'GET', path: '/', headers: { a: 'x'.repeat(60 * 1024) } }),
    },
    {
      name: 'an empty header_map beside headers',
      input: http(method, path, text(3, text(1, 'a')), text(13, '')),
    },
    {
      name: 'a destination that is no socket address',
      input: attributes(text(2, text(1, text(2, text(1, '@pipe')))), httpField(method, path)),
    },
  ]
}

/** A length-delimited field. */
function text(number: number, value: string | Uint8Array): Buffer {
  const writer = protobuf.Writer.create()
  return Buffer.from(
    writer
      .uint32((number << 3) | 2)
      .bytes(Buffer.from(value))
      .finish(),
  )
}

function destination(...socketAddress: readonly Buffer[]): Buffer {
  return text(1, text(1, Buffer.concat(socketAddress)))
}

function httpField(...fields: readonly Buffer[]): Buffer {
  return text(4, text(2, Buffer.concat(fields)))
}

function attributes(...fields: readonly Buffer[]): Buffer {
  return text(1, Buffer.concat(fields))
}

function http(...fields: readonly Buffer[]): Buffer {
  return attributes(httpField(...fields))
}

function codeOf(bytes: Uint8Array): string {
  const input = decodeCheckRequest(bytes, call)
  return isDeny(input) ? input.code : 'decoded'
}

function decoded(headers: readonly (readonly [string, string | Uint8Array])[]): CheckInput {
  const input = decodeCheckRequest(encodeCheckRequest({ method: 'GET', path: '/', headers }), call)
  if (isDeny(input)) throw new Error(input.reason)
  return input
}
