import { expect } from 'chai'
import type { Answer } from '../../src/base/model/answer.ts'
import type { CheckInput } from '../../src/base/model/check-input.ts'
import { type Deny, isDeny } from '../../src/base/model/decision.ts'
import type { Event } from '../../src/base/model/event.ts'
import { type CallHandlerDeps, createCallHandler } from '../../src/envoy/handler.ts'
import { decodeCheckResponse, encodeCheckRequest } from '../support/check-request.ts'

const request = encodeCheckRequest({ method: 'GET', path: '/' })
const allow: Answer = {
  kind: 'allow',
  decisionId: 'd-1',
  txn: undefined,
  policyRevision: undefined,
  setHeaders: [],
  removeHeaders: [],
}

describe('envoy/handler', () => {
  for (const { name, check } of [
    { name: 'at once', check: () => allow },
    { name: 'later', check: () => Promise.resolve(allow) },
  ]) {
    it(`hands on an answer that comes ${name}`, async () => {
      const { respond, denials } = createFixture({ check })
      expect(await respond(request)).to.include({ kind: 'ok', status: 0 })
      expect(denials).to.deep.equal([])
    })
  }

  it('answers at once when the check does, so that a warm check never waits', () => {
    const { handle } = createFixture({ check: () => allow })
    expect(handle(request, noContext)).to.be.instanceOf(Uint8Array)
  })

  it('lets the check record a request that could not be decoded', async () => {
    const seen: (CheckInput | Deny)[] = []
    const { respond } = createFixture({
      check: (input) => {
        seen.push(input)
        return denial('request_malformed')
      },
    })
    const response = await respond(Buffer.from([0xff]))
    expect(response.body).to.include({ code: 'request_malformed' })
    expect(seen.map((input) => (isDeny(input) ? input.code : 'decoded'))).to.deep.equal(['request_malformed'])
  })

  for (const { name, check } of [
    { name: 'throws', check: thrower },
    { name: 'rejects', check: () => Promise.reject(new Error('broken')) },
    { name: 'throws what is no Error', check: throwNothing },
  ]) {
    it(`denies with internal_error when the check ${name}`, async () => {
      const { respond, denials, events } = createFixture({ check })
      const response = await respond(request)
      expect(response).to.include({ kind: 'denied', status: 7, httpStatus: 403 })
      expect(response.body).to.include({ code: 'internal_error', decisionId: 'd-refused' })
      expect(denials).to.deep.equal(['internal_error'])
      expect(events.map(({ kind }) => kind)).to.deep.equal(['fault'])
    })

    it(`denies even when refusing fails as well, when the check ${name}`, async () => {
      const { respond } = createFixture({ check, refuse: thrower })
      const response = await respond(request)
      expect(response).to.include({ kind: 'denied', status: 7, httpStatus: 403 })
      expect(response.body).to.include({ code: 'internal_error' })
    })
  }

  const unreadable: Answer = {
    ...allow,
    get setHeaders(): never {
      throw new Error('broken')
    },
  }
  for (const { name, check } of [
    { name: 'at once', check: () => unreadable },
    { name: 'later', check: () => Promise.resolve(unreadable) },
  ]) {
    it(`denies with internal_error when an answer that comes ${name} cannot be written`, async () => {
      const { respond, denials, events } = createFixture({ check })
      const response = await respond(request)
      expect(response).to.include({ kind: 'denied', status: 7, httpStatus: 403 })
      expect(response.body).to.include({ code: 'internal_error', decisionId: 'd-refused' })
      expect(denials).to.deep.equal(['internal_error'])
      expect(events.map(({ kind }) => kind)).to.deep.equal(['fault'])
    })
  }

  it('denies with internal_error when the clock fails', async () => {
    const { respond } = createFixture({ check: () => allow, elapsedMs: thrower })
    expect((await respond(request)).body).to.include({ code: 'internal_error' })
  })

  for (const { name, deadlineMs, want } of [
    { name: 'its own budget when Envoy names no deadline', deadlineMs: undefined, want: 1150 },
    { name: 'its own budget when Envoy waits longer', deadlineMs: 1250, want: 1150 },
    { name: 'what is left before Envoy stops waiting', deadlineMs: 1100, want: 1075 },
    { name: 'a deadline that has passed', deadlineMs: 10, want: -15 },
  ]) {
    it(`gives the check ${name}`, async () => {
      const deadlines: number[] = []
      const { handle } = createFixture({
        check: (_input, checkDeadlineMs) => {
          deadlines.push(checkDeadlineMs)
          return allow
        },
        elapsedMs: () => 1000,
        budgetMs: 150,
      })
      await handle(request, { ...noContext, deadlineMs })
      expect(deadlines).to.deep.equal([want])
    })
  }
})

const noContext = { metadata: new Map(), tlsPeerUris: [], deadlineMs: undefined }

function thrower(): never {
  throw new Error('broken')
}

function throwNothing(): never {
  throw undefined
}

function denial(code: Deny['code']): Answer {
  return { kind: 'deny', code, decisionId: 'd-refused', txn: undefined, policyRevision: undefined }
}

function createFixture(overrides: Partial<CallHandlerDeps> & Pick<CallHandlerDeps, 'check'>) {
  const denials: string[] = []
  const events: Event[] = []
  const handle = createCallHandler({
    refuse: ({ code }) => {
      denials.push(code)
      return denial(code)
    },
    elapsedMs: () => performance.now(),
    budgetMs: 5000,
    report: (event) => events.push(event),
    ...overrides,
  })
  const respond = async (bytes: Uint8Array) => decodeCheckResponse(await handle(bytes, noContext))
  return { handle, respond, denials, events }
}
