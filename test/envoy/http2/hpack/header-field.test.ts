import { expect } from 'chai'
import { toHeaderField } from '../../../../src/envoy/http2/hpack/header-field.ts'

describe('envoy/http2/hpack/header-field', () => {
  for (const { name, value, want } of [
    { name: ':path', value: '/', want: 'path' },
    { name: 'content-type', value: 'application/grpc', want: 'content-type' },
    { name: 'grpc-timeout', value: '1S', want: 'timeout' },
    { name: 'te', value: 'trailers', want: 'plumbing' },
    { name: 'x-waypoint-service', value: 'a b', want: 'metadata' },
    { name: 'x-empty', value: '', want: 'metadata' },
    { name: 'x-bin', value: 'AAA=', want: 'binary' },
    { name: 'te', value: 'gzip', want: 'malformed' },
    { name: 'connection', value: 'close', want: 'malformed' },
    { name: 'upgrade', value: 'h2c', want: 'malformed' },
    { name: 'X-Upper', value: 'a', want: 'malformed' },
    { name: ':status', value: '200', want: 'malformed' },
    { name: '', value: 'a', want: 'malformed' },
    { name: 'a b', value: 'a', want: 'malformed' },
    { name: 'x', value: 'a\r\nb: c', want: 'malformed' },
    { name: 'x', value: 'a\0', want: 'malformed' },
    { name: 'x', value: ' a', want: 'malformed' },
    { name: 'x', value: 'a\t', want: 'malformed' },
    { name: '__proto__', value: 'a', want: 'metadata' },
  ]) {
    it(`takes ${JSON.stringify(`${name}: ${value}`)} for ${want}`, () => {
      expect(toHeaderField(name, value)).to.include({ kind: want, bytes: name.length + value.length + 32 })
    })
  }
})
