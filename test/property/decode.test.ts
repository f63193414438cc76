import { expect } from 'chai'
import fc from 'fast-check'
import { isDeny } from '../../src/base/model/decision.ts'
import { decodeCheckRequest } from '../../src/envoy/codec/decode.ts'
import { toAddressByUrl } from '../support/address-by-url.ts'
import { checkRequestType, encodeRawCheckRequest } from '../support/check-request.ts'
import { mutatedRequest, wellFormedMessage } from '../support/mutated-requests.ts'
import { decodePlainly, type PlainInput } from '../support/plain-decoder.ts'

const call = { metadata: new Map(), tlsPeerUris: [] }

describe('envoy/codec/decode, as properties', () => {
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

  it('reads and refuses the same as a plain reader, whatever bytes of a good request are replaced, cut or repeated', () => {
    const seen = { decoded: 0, refused: 0 }
    fc.assert(
      fc.property(mutatedRequest, (bytes) => {
        const [input, plain] = [decodeCheckRequest(bytes, call), decodePlainly(bytes)]
        if (isDeny(plain)) seen.refused++
        else seen.decoded++
        const want = isDeny(plain) ? plain.code : pick(plain)
        expect(isDeny(input) ? input.code : pick(input)).to.deep.equal(want)
      }),
      { numRuns: 4000 },
    )
    expect(Math.min(seen.decoded, seen.refused)).to.be.greaterThan(500)
  })
})

function codeOf(bytes: Uint8Array): string {
  const input = decodeCheckRequest(bytes, call)
  return isDeny(input) ? input.code : 'decoded'
}

function pick(input: PlainInput) {
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
  return {
    sourcePrincipal: source.principal,
    destinationAddress: address === '' ? '' : toAddressByUrl(address, port),
    method,
    path,
    host,
    headers: byName,
  }
}
