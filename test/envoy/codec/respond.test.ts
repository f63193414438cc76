import { expect } from 'chai'
import fc from 'fast-check'
import type { Answer } from '../../../src/base/model/answer.ts'
import { denyCodes } from '../../../src/base/model/decision.ts'
import type { Event } from '../../../src/base/model/event.ts'
import { encodeCheckResponse, unrecordedDenial } from '../../../src/envoy/codec/respond.ts'
import { checkResponseType, decodeCheckResponse } from '../../support/check-request.ts'
import { encodePlainly } from '../../support/plain-encoder.ts'

const reference = { decisionId: 'd-1', txn: 't-1', policyRevision: 'r-1' }

describe('envoy/codec/respond', () => {
  it('allows explicitly, with headers to set and to remove', () => {
    expect(
      respond({
        ...reference,
        kind: 'allow',
        setHeaders: [['actor-chain', 'a.b.c']],
        removeHeaders: ['authorization'],
      }),
    ).to.deep.equal({
      status: 0,
      kind: 'ok',
      httpStatus: undefined,
      setHeaders: { 'actor-chain': 'a.b.c' },
      removeHeaders: ['authorization'],
      clientHeaders: { 'waywarden-decision-id': 'd-1' },
      body: undefined,
      metadata: { decision_id: 'd-1', txn: 't-1', policy_revision: 'r-1', outcome: 'allow' },
    })
  })

  it('writes the status of an allowance, which Envoy would otherwise only assume', () => {
    const bytes = encode({ ...reference, kind: 'allow', setHeaders: [], removeHeaders: [] })
    expect(Object.keys(checkResponseType.decode(bytes))).to.include.members(['status', 'ok_response'])
  })

  it('tells old and new Envoys alike to overwrite a header', () => {
    const bytes = encode({ ...reference, kind: 'allow', setHeaders: [['a', 'b']], removeHeaders: [] })
    const message = checkResponseType.toObject(checkResponseType.decode(bytes), {
      defaults: true,
      enums: String,
    })
    expect(message).to.have.nested.property('ok_response.headers[0].append.value', false)
    expect(message).to.have.nested.property(
      'ok_response.headers[0].append_action',
      'OVERWRITE_IF_EXISTS_OR_ADD',
    )
  })

  for (const code of denyCodes) {
    it(`denies ${code} explicitly, with a problem document`, () => {
      const httpStatus = code === 'overloaded' ? 429 : code === 'token_key_unknown' ? 503 : 403
      const { body, ...response } = respond({ ...reference, kind: 'deny', code })
      expect(response).to.deep.equal({
        status: 7,
        kind: 'denied',
        httpStatus,
        setHeaders: {},
        removeHeaders: [],
        clientHeaders: { 'content-type': 'application/problem+json', 'waywarden-decision-id': 'd-1' },
        metadata: { decision_id: 'd-1', txn: 't-1', code, policy_revision: 'r-1', outcome: 'deny' },
      })
      expect(body).to.include({ status: httpStatus, code, decisionId: 'd-1', txn: 't-1' })
      expect(body)
        .to.have.property('type')
        .that.matches(new RegExp(`/decision-codes\\.md#${code}$`))
    })
  }

  it('says when to try again, if somebody knows', () => {
    const { clientHeaders } = respond({
      ...reference,
      kind: 'deny',
      code: 'token_key_unknown',
      retryAfterSeconds: 7,
    })
    expect(clientHeaders).to.include({ 'retry-after': '7' })
  })

  it('leaves out what is not known', () => {
    const response = respond({
      kind: 'deny',
      code: 'peer_missing',
      decisionId: 'd-1',
      txn: undefined,
      policyRevision: undefined,
    })
    expect(response.body).not.to.have.property('txn')
    expect(response.metadata).to.deep.equal({ decision_id: 'd-1', code: 'peer_missing', outcome: 'deny' })
  })

  for (const { name, setHeaders = [], removeHeaders = [] } of unencodable()) {
    it(`denies instead of sending ${name}, and tells the operator`, () => {
      const events: Event[] = []
      const bytes = encodeCheckResponse({ ...reference, kind: 'allow', setHeaders, removeHeaders }, (event) =>
        events.push(event),
      )
      const response = decodeCheckResponse(bytes)
      expect(response).to.include({ status: 7, kind: 'denied', httpStatus: 403 })
      expect(response.body).to.include({ code: 'internal_error', decisionId: 'd-1' })
      expect(events.map(({ kind }) => kind)).to.deep.equal(['fault'])
    })
  }

  it('writes byte for byte what a plain encoder does, whatever there is to say and however long', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: 'grapheme-ascii', maxLength: 200 }),
    )
    const long = fc.tuple(text, fc.nat({ max: 20_000 })).map(([start, length]) => start + 'x'.repeat(length))
    const visible = fc.stringMatching(/^[\x20-\x7e]{0,80}$/)
    const value = fc
      .tuple(visible, fc.nat({ max: 5000 }))
      .map(([start, length]) => start + 'y'.repeat(length))
    const name = fc.stringMatching(/^x[a-z0-9_-]{0,70}$/)
    const answer = fc.record({
      kind: fc.constantFrom('allow', 'observed', 'deny'),
      code: fc.constantFrom(...denyCodes),
      decisionId: visible,
      txn: fc.option(fc.oneof(text, long), { nil: undefined }),
      policyRevision: fc.option(text, { nil: undefined }),
      setHeaders: fc.array(fc.tuple(name, value), { maxLength: 3 }),
      removeHeaders: fc.array(name, { maxLength: 40 }),
    })
    fc.assert(
      fc.property(answer, (drawn) => {
        const bytes = encode(drawn as Answer)
        const message = checkResponseType.toObject(checkResponseType.decode(bytes))
        const body = message['denied_response']?.body
        expect(Buffer.compare(bytes, encodePlainly(drawn as Answer, body))).to.equal(0)
      }),
      { numRuns: 1500 },
    )
  })

  it('writes what a plain encoder does when it has written nearly the same before', () => {
    const lists = [[], ['authorization'], ['authorization', 'x-original-url']]
    const header = fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'))
    const answer = fc.record({
      kind: fc.constantFrom('allow', 'observed'),
      code: fc.constantFrom('policy_denied', 'policy_error'),
      decisionId: fc.constantFrom('d-1', 'd-2', 'd-10'),
      txn: fc.constantFrom(undefined, '1', '2'),
      policyRevision: fc.constantFrom(undefined, 'r-1', 'r-2'),
      setHeaders: fc.array(header, { maxLength: 2 }),
      removeHeaders: fc.constantFrom(...lists),
    })
    const before = { ...reference, kind: 'allow', setHeaders: [['a', '1']], removeHeaders: [] } as const
    fc.assert(
      fc.property(answer, fc.constantFrom(...Object.keys(before)), (drawn, changed) => {
        const otherEnd = drawn.setHeaders.map(
          ([name, value], at) => [name, at === 1 ? 'other' : value] as const,
        )
        const other = { ...drawn, [changed]: before[changed as keyof typeof before] }
        for (const next of [drawn, other, drawn, { ...drawn, setHeaders: otherEnd }]) {
          expect(Buffer.compare(encode(next as Answer), encodePlainly(next as Answer, ''))).to.equal(0)
        }
      }),
      { numRuns: 800 },
    )
  })

  it('leaves the answer before as it was', () => {
    const answers = Array.from({ length: 60 }, (_, index) =>
      encode({ ...reference, kind: 'allow', setHeaders: [['a', `${index}`.repeat(400)]], removeHeaders: [] }),
    )
    expect(answers.map((bytes) => decodeCheckResponse(bytes).setHeaders['a'])).to.deep.equal(
      answers.map((_, index) => `${index}`.repeat(400)),
    )
  })

  it('never lets a line break out in a header, whatever the answer holds', () => {
    const any = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(any, any, any, any, (decisionId, txn, name, value) => {
        for (const answer of [
          {
            kind: 'allow',
            decisionId,
            txn,
            policyRevision: txn,
            setHeaders: [[name, value]],
            removeHeaders: [name],
          },
          { kind: 'deny', code: 'policy_denied', decisionId, txn, policyRevision: txn },
        ] satisfies Answer[]) {
          const { setHeaders, removeHeaders, clientHeaders } = respond(answer)
          const onTheWire = [
            ...Object.entries(setHeaders),
            ...Object.entries(clientHeaders),
            removeHeaders,
          ].flat()
          expect(onTheWire.join('')).to.match(/^[\t\x20-\x7e]*$/)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('sends valid UTF-8 even for half a surrogate pair, since Envoy refuses the whole message for it', () => {
    const bytes = encode({ ...reference, kind: 'deny', code: 'chain_signature', txn: 'a\ud800' })
    expect(decodeCheckResponse(bytes).metadata).to.include({ txn: 'a\ufffd' })
    expect(Buffer.from(bytes).includes(Buffer.from([0xed, 0xa0]))).to.equal(false)
  })

  it('has a denial ready that needs nothing of ours to work', () => {
    const response = decodeCheckResponse(unrecordedDenial)
    expect(response).to.include({ status: 7, kind: 'denied', httpStatus: 403 })
    expect(response.body).to.include({ code: 'internal_error' })
  })
})

function unencodable(): readonly {
  readonly name: string
  readonly setHeaders?: readonly (readonly [string, string])[]
  readonly removeHeaders?: readonly string[]
}[] {
  return [
    { name: 'a CRLF in a value', setHeaders: [['actor-chain', 'a\r\nset-cookie: b']] },
    { name: 'a NUL in a value', setHeaders: [['actor-chain', 'a\0']] },
    { name: 'a value outside ASCII', setHeaders: [['actor-chain', 'é']] },
    { name: 'a name with a space', setHeaders: [['actor chain', 'a']] },
    { name: 'an empty name', setHeaders: [['', 'a']] },
    { name: 'a pseudo header', setHeaders: [[':path', '/admin']] },
    { name: 'another host', setHeaders: [['Host', 'admin']] },
    { name: 'the removal of a pseudo header', removeHeaders: [':method'] },
    { name: 'the removal of a name with a CRLF', removeHeaders: ['a\r\nb'] },
  ]
}

function encode(answer: Answer): Uint8Array {
  return encodeCheckResponse(answer, () => {})
}

function respond(answer: Answer) {
  return decodeCheckResponse(encode(answer))
}
