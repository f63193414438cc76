import { expect } from 'chai'
import type { Headers } from '../../../src/base/model/check-input.ts'
import { isDeny } from '../../../src/base/model/decision.ts'
import { decodeCheckRequest } from '../../../src/envoy/codec/decode.ts'
import { encodeCheckRequest, type HeaderFields } from '../../support/check-request.ts'

const joined: HeaderFields = { ':path': '/', 'actor-chain': 'a.b.c', x_twin: '1', empty: '' }
const repeated: HeaderFields = [
  ['x-dup', '1'],
  ['other', 'x'],
  ['x-dup', '2'],
]

describe('envoy/codec/request-headers', () => {
  for (const { name, fields, asked, want } of [
    { name: 'a value', fields: joined, asked: 'actor-chain', want: ['a.b.c'] },
    { name: 'an empty value, which is not an absent one', fields: joined, asked: 'empty', want: [''] },
    { name: 'a name that begins like another', fields: joined, asked: 'actor-chai', want: undefined },
    { name: 'a name as long as another', fields: joined, asked: 'actor-chaim', want: undefined },
    { name: 'the empty name', fields: joined, asked: '', want: undefined },
    { name: 'another spelling', fields: joined, asked: 'Actor-Chain', want: undefined },
    { name: 'a name that came twice', fields: repeated, asked: 'x-dup', want: ['1', '2'] },
    { name: 'a name that is not ASCII', fields: joined, asked: 'пуст', want: undefined },
  ]) {
    it(`finds ${name}`, () => {
      const headers = decoded(fields)
      expect(headers.get(asked)).to.deep.equal(want)
      expect(headers.has(asked)).to.equal(want !== undefined)
    })
  }

  it('is a map of all of them, in the order received', () => {
    const headers = decoded(repeated)
    const all = [
      ['x-dup', ['1', '2']],
      ['other', ['x']],
    ]
    expect([...headers]).to.deep.equal(all)
    expect([...headers.entries()]).to.deep.equal(all)
    expect([...headers.keys()]).to.deep.equal(['x-dup', 'other'])
    expect([...headers.values()]).to.deep.equal([['1', '2'], ['x']])
    expect(headers.size).to.equal(2)
    const visited: unknown[] = []
    headers.forEach((values, name, map) => {
      visited.push([name, values, map === headers])
    })
    expect(visited).to.deep.equal(all.map((entry) => [...entry, true]))
  })

  it('knows the names with a character that some servers take for `-`', () => {
    const odd = [..."!#$%&'*+.^_`|~"].map((character) => `x${character}odd`)
    const fields = Object.fromEntries([':path', 'x-plain', ...odd, 'x-1'].map((name) => [name, '']))
    expect(decoded(fields).oddNames).to.deep.equal(odd)
    expect(decoded(repeated).oddNames).to.deep.equal([])
  })

  it('finds a repeated key among as many headers as may come, however alike they are', () => {
    const alike = Array.from({ length: 511 }, (_, index) => [`x-${'a'.repeat(100)}-${index}`, ''] as const)
    expect(decoded(Object.fromEntries(alike)).size).to.equal(511)
  })
})

function decoded(headers: HeaderFields): Headers {
  const call = { metadata: new Map(), tlsPeerUris: [] }
  const input = decodeCheckRequest(encodeCheckRequest({ method: 'GET', path: '/', headers }), call)
  if (isDeny(input)) throw new TypeError(input.reason)
  return input.headers
}
