import fc from 'fast-check'
import { encodeRawCheckRequest } from './check-request.ts'

const anyText = fc.string({ unit: 'binary' })
const someText = fc.string({ unit: 'binary', minLength: 1 })
const headerName = fc
  .stringMatching(/^(?:[a-z0-9-]{1,12}|:?[!#$%&'*+.^_`|~0-9a-z-]{1,12})$/)
  .filter((name) => name !== '__proto__')
const headers = fc.dictionary(headerName, anyText).map((joined) => ({ headers: joined }))
const headerMap = fc
  .array(fc.record({ key: headerName, raw_value: anyText.map((value) => Buffer.from(value)) }))
  .map((list) => ({ header_map: { headers: list } }))

/** CheckRequests in the shape of proto/, with everything that a decision reads, and a field that none does. */
export const wellFormedMessage: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc
  .record({
    principal: anyText,
    address: fc.oneof(
      anyText,
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV6().map((text) => text.toUpperCase()),
    ),
    port_value: fc.integer({ min: 1, max: 65_535 }),
    http: fc.record({ method: someText, path: someText, host: anyText, scheme: anyText }),
    carried: fc.oneof(headers, headerMap),
  })
  .map(({ principal, address, port_value, http: request, carried }) => ({
    attributes: {
      source: { principal },
      destination: { address: { socket_address: { address, port_value } } },
      request: { http: { ...request, ...carried } },
    },
  }))

/** Takes bytes away, puts others in, or repeats some: a slice that is put in again is often a whole field. */
const edit = fc.record({
  at: fc.nat(),
  remove: fc.nat({ max: 3 }),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    // Bytes that begin, end or repeat fields: tags of the messages that are read, short lengths, continued varints.
    fc.uint8Array({ min: 0, max: 0x2a, maxLength: 3 }),
    fc.constantFrom(
      ...[
        [0x80, 0x80],
        [0xff, 0xff, 0xff, 0xff, 0x0f],
        [0xc3, 0x28],
        [0xed, 0xa0, 0x80],
      ].map((bytes) => Uint8Array.from(bytes)),
    ),
  ),
  repeat: fc.nat({ max: 40 }),
})

/** Bytes of CheckRequests of which some were replaced, cut or repeated. */
export const mutatedRequest: fc.Arbitrary<Buffer> = fc
  .tuple(wellFormedMessage, fc.array(edit, { maxLength: 3 }))
  .map(([message, edits]) =>
    edits.reduce((current, { at, remove, insert, repeat }) => {
      const start = at % (current.length + 1)
      const again = repeat > 20 ? current.subarray(start, start + repeat - 20) : Buffer.alloc(0)
      return Buffer.concat([current.subarray(0, start), insert, again, current.subarray(start + remove)])
    }, encodeRawCheckRequest(message)),
  )
