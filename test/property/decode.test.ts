import { expect } from 'chai'
import fc from 'fast-check'
import { decodeCheckRequest } from '../../src/ext-authz/decode.ts'
import type { CheckInput } from '../../src/model/check-input.ts'
import { isDeny } from '../../src/model/decision.ts'
import { checkRequestType, encodeRawCheckRequest } from '../support/check-request.ts'

const call = { metadata: new Map(), tlsPeerUris: [] }

const anyText = fc.string({ unit: 'binary' })
const someText = fc.string({ unit: 'binary', minLength: 1 })
const headerName = fc.stringMatching(/^[:a-z0-9_-]{1,12}$/).filter((name) => name !== '__proto__')
const headers = fc.dictionary(headerName, anyText).map((joined) => ({ headers: joined }))
const headerMap = fc
  .array(fc.record({ key: headerName, raw_value: anyText.map((value) => Buffer.from(value)) }))
  .map((list) => ({ header_map: { headers: list } }))

const wellFormedMessage = fc
  .record({
    principal: anyText,
    address: anyText,
    port_value: fc.integer({ min: 1, max: 65_535 }),
    http: fc.record({ method: someText, path: someText, host: anyText }),
    carried: fc.oneof(headers, headerMap),
  })
  .map(({ principal, address, port_value, http: request, carried }) => ({
    attributes: {
      source: { principal },
      destination: { address: { socket_address: { address, port_value } } },
      request: { http: { ...request, ...carried } },
    },
  }))

describe('ext-authz/decode, as properties', () => {
  it('reads every well-formed message as protobufjs does', () => {
    fc.assert(
      fc.property(wellFormedMessage, (message) => {
        const bytes = encodeRawCheckRequest(message)
        const input = decodeCheckRequest(bytes, call)
        expect(isDeny(input) ? input : pick(input)).to.deep.equal(readByProtobufjs(bytes))
      }),
    )
  })

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(bytes)).to.be.oneOf(['decoded', 'request_malformed'])
      }),
      { numRuns: 2000 },
    )
  })

  it('never throws, whatever bytes of a good request are replaced, cut or repeated', () => {
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 4 }),
      insert: fc.uint8Array({ maxLength: 4 }),
    })
    fc.assert(
      fc.property(wellFormedMessage, fc.array(edit, { minLength: 1, maxLength: 4 }), (message, edits) => {
        const good = encodeRawCheckRequest(message)
        const bytes = edits.reduce((current, { at, remove, insert }) => {
          const start = at % (current.length + 1)
          return Buffer.concat([current.subarray(0, start), insert, current.subarray(start + remove)])
        }, good)
        expect(codeOf(bytes)).to.be.oneOf(['decoded', 'request_malformed'])
      }),
      { numRuns: 2000 },
    )
  })
})

function codeOf(bytes: Uint8Array): string {
  const input = decodeCheckRequest(bytes, call)
  return isDeny(input) ? input.code : 'decoded'
}

function pick(input: CheckInput) {
  const { sourcePrincipal, destinationAddress, method, path, host, headers: decodedHeaders } = input
  return { sourcePrincipal, destinationAddress, method, path, host, headers: new Map(decodedHeaders) }
}

type CheckRequestMessage = {
  readonly attributes: {
    readonly source: { readonly principal: string }
    readonly destination: {
      readonly address: { readonly socket_address: { readonly address: string; readonly port_value: number } }
    }
    readonly request: {
      readonly http: {
        readonly method: string
        readonly path: string
        readonly host: string
        readonly headers: Readonly<Record<string, string>>
        readonly header_map?: {
          readonly headers?: readonly { readonly key: string; readonly raw_value: Uint8Array }[]
        }
      }
    }
  }
}

function readByProtobufjs(bytes: Uint8Array) {
  // The shape is the proto file's; `defaults` fills in what is not set.
  const message = checkRequestType.toObject(checkRequestType.decode(bytes), {
    defaults: true,
  }) as CheckRequestMessage
  const { source, destination: to, request } = message.attributes
  const { address, port_value: port } = to.address.socket_address
  const { method, path, host } = request.http
  const byName = new Map<string, string[]>()
  for (const [name, value] of Object.entries(request.http.headers)) byName.set(name, [value])
  for (const { key, raw_value } of request.http.header_map?.headers ?? []) {
    byName.set(key, [...(byName.get(key) ?? []), Buffer.from(raw_value).toString()])
  }
  const host6 = address.includes(':') ? `[${address}]` : address
  return {
    sourcePrincipal: source.principal,
    destinationAddress: address === '' ? '' : `${host6}:${port}`,
    method,
    path,
    host,
    headers: byName,
  }
}
