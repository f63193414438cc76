import { expect } from 'chai'
import { areTrailers, parseRequestHead, toMetadata } from '../../../../src/envoy/http2/grpc/request-head.ts'
import { toHeaderField } from '../../../../src/envoy/http2/hpack/header-field.ts'

const pseudo = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a/B'],
] as const
type Pairs = readonly (readonly [name: string, value: string])[]
const toFields = (pairs: Pairs) => pairs.map(([name, value]) => toHeaderField(name, value))

describe('envoy/http2/grpc/request-head', () => {
  it('reads what a call says', () => {
    const head = parseRequestHead(
      toFields([
        ...pseudo,
        [':authority', 'waywarden'],
        ['content-type', 'application/grpc'],
        ['te', 'trailers'],
        ['grpc-timeout', '200m'],
        ['grpc-accept-encoding', 'gzip'],
        ['content-length', '5'],
        ['x-twice', 'a'],
        ['x-bin', 'AA'],
        ['x-twice', 'b'],
      ]),
    )
    expect(head).to.deep.include({
      method: 'POST',
      path: '/a/B',
      contentType: 'application/grpc',
      contentLength: 5,
      timeoutMs: 200,
    })
    expect(head && toMetadata(head)).to.deep.equal(new Map([['x-twice', ['a', 'b']]]))
  })

  for (const { name, pairs } of [
    { name: 'nothing', pairs: [] },
    { name: 'no path', pairs: pseudo.slice(0, 2) },
    { name: 'an empty path', pairs: [...pseudo.slice(0, 2), [':path', '']] },
    { name: 'a pseudo header twice', pairs: [...pseudo, [':path', '/b']] },
    { name: 'the authority twice', pairs: [[':authority', 'a'], [':authority', 'a'], ...pseudo] },
    { name: 'a pseudo header after another', pairs: [['a', 'b'], ...pseudo] },
    { name: 'a malformed field', pairs: [...pseudo, ['Upper', 'b']] },
    { name: 'a length that is none', pairs: [...pseudo, ['content-length', '-1']] },
    { name: 'two lengths', pairs: [...pseudo, ['content-length', '1'], ['content-length', '2']] },
  ] satisfies readonly { name: string; pairs: Pairs }[]) {
    it(`refuses ${name}`, () => expect(parseRequestHead(toFields(pairs))).to.equal(undefined))
  }

  it('takes trailers only without pseudo headers and malformed fields', () => {
    expect(areTrailers(toFields([['a', 'b']]))).to.equal(true)
    expect(areTrailers(toFields([[':path', '/']]))).to.equal(false)
    expect(areTrailers(toFields([['A', 'b']]))).to.equal(false)
  })
})
