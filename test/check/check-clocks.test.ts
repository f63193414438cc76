import { expect } from 'chai'
import type { CheckDeps } from '../../src/check/check.ts'
import type { CheckInput } from '../../src/model/check-input.ts'
import { type Deny, deny } from '../../src/model/decision.ts'
import { buildChecker, input } from '../support/built-checker.ts'
import { clerk, delegated } from '../support/identities.ts'
import { mustLoad, policyFiles, servicesYaml } from '../support/policy-files.ts'

const routes = [{ match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }]
const onward = { token: 'child', jti: 'j-child', txn: 't', kid: 'k', parHash: undefined, expiresAt: 10 }
const endsAtMs = 1000

/** A service that gets a chain, while observing goes on until `endsAtMs`. */
function observedUntil(overlay: Partial<CheckDeps>) {
  const forwarding = mustLoad(policyFiles({ 'services.yaml': servicesYaml({ routes, forwards: true }) }))
  return buildChecker({
    revision: () => forwarding,
    isObserving: (_service, nowMs) => nowMs < endsAtMs,
    extendChain: () => onward,
    ...overlay,
  })
}

/** A clock that moves by 1 ms at each read, and ends observing at the given one. */
function endingAtRead(read: number): () => number {
  let reads = 0
  return () => endsAtMs - read + ++reads
}

describe('the wall clock of a check', () => {
  const cases: readonly { name: string; asked: CheckInput | Deny; overlay: Partial<CheckDeps> }[] = [
    { name: 'what is allowed', asked: input, overlay: {} },
    { name: 'what policies refuse', asked: input, overlay: { judge: () => deny('policy_denied', '') } },
    { name: 'a broken chain', asked: input, overlay: { verifyChain: () => deny('chain_signature', '') } },
    { name: 'what cannot be decoded', asked: deny('request_malformed', ''), overlay: {} },
    { name: 'what is shed', asked: input, overlay: { maxInFlight: 0 } },
    { name: 'what is late', asked: input, overlay: { elapsedMs: () => 3000 } },
    {
      name: 'a chain that is verified after a wait',
      asked: input,
      overlay: { verifyChain: async () => delegated(clerk), judge: () => deny('policy_denied', '') },
    },
    { name: 'what is recorded after a wait', asked: input, overlay: { record: async () => true } },
    { name: 'what cannot be recorded', asked: input, overlay: { record: () => false } },
  ]
  for (const { name, asked, overlay } of cases) {
    it(`is read once for ${name}`, async () => {
      let reads = 0
      const { check } = observedUntil({ ...overlay, nowMs: () => ++reads })
      await check(asked, 2000)
      expect(reads).to.equal(1)
    })

    it(`lets record and answer agree on ${name}, at whatever read of the clock observing ends`, async () => {
      for (let read = 1; read <= 10; read++) {
        const told: (string | undefined)[] = []
        const { check } = observedUntil({
          nowMs: endingAtRead(read),
          ...overlay,
          ...recordInto(told, overlay),
        })
        const answer = await check(asked, 2000)
        const handed = answer.kind === 'deny' ? undefined : answer.setHeaders[0]?.[1]
        // The last record of a decision counts.
        expect(told.at(-1)).to.equal(`${answer.kind} ${handed === undefined ? 'nothing' : 'j-child'}`)
      }
    })
  }

  it('is the moment that verifies, mints, records and keeps', async () => {
    const moments: number[] = []
    const note = <R>(nowMs: number, result: R): R => {
      moments.push(nowMs)
      return result
    }
    let nowMs = 500
    const { check } = observedUntil({
      nowMs: () => nowMs++,
      verifyChain: (_text, _caller, atMs) => note(atMs, delegated(clerk)),
      extendChain: (_chain, _caller, _callee, atMs) => note(atMs, onward),
      record: ({ timeMs }) => note(timeMs, true),
      handedOn: (_headers, _findings, atMs) => note(atMs, undefined),
    })
    await check(input, 2000)
    expect(moments).to.deep.equal([500, 500, 500, 500])
  })
})

/** Notes what each record says was answered and handed on. */
function recordInto(told: (string | undefined)[], { record = () => true }: Partial<CheckDeps>) {
  const noting: CheckDeps['record'] = (parts, by) => {
    const { decision, isObserved, onward: child } = parts
    const outcome = decision.kind === 'deny' && isObserved === true ? 'observed' : decision.kind
    told.push(`${outcome} ${child === undefined ? 'nothing' : child.jti}`)
    return record(parts, by)
  }
  return { record: noting }
}

describe('a chain for the callee', () => {
  it('stands in the record just when the answer has it, whatever observing is said to be at each moment', async () => {
    const told: (string | undefined)[] = []
    let times = 0
    const { check } = observedUntil({
      judge: () => deny('policy_denied', ''),
      isObserving: () => ++times === 1,
      ...recordInto(told, {}),
    })
    expect(await check(input, 2000)).to.include({ kind: 'deny', code: 'policy_denied' })
    expect(told).to.deep.equal(['deny nothing'])
  })
})

describe('the deadline of a check', () => {
  for (const { name, stepMs } of [
    { name: 'forward', stepMs: 3_600_000 },
    { name: 'back', stepMs: -3_600_000 },
  ]) {
    it(`does not pass when the wall clock is put ${name} while the check runs`, async () => {
      let nowMs = 10_000_000
      const { check } = buildChecker({
        nowMs: () => nowMs,
        elapsedMs: () => 1000,
        verifyChain: async () => {
          nowMs += stepMs
          return delegated(clerk)
        },
      })
      expect(await check(input, 1000)).to.include({ kind: 'allow' })
    })

    it(`passes when the wall clock is put ${name} while the check runs`, async () => {
      let [nowMs, elapsedMs] = [10_000_000, 1000]
      const { check } = buildChecker({
        nowMs: () => nowMs,
        elapsedMs: () => elapsedMs,
        verifyChain: async () => {
          nowMs += stepMs
          elapsedMs = 1001
          return delegated(clerk)
        },
      })
      expect(await check(input, 1000)).to.include({ kind: 'deny', code: 'deadline_exceeded' })
    })
  }

  for (const { name, wait } of [
    { name: 'waited for', wait: async () => true },
    { name: 'written at once', wait: () => true },
  ]) {
    it(`is asked again before the answer, after a record that was ${name}`, async () => {
      let elapsedMs = 0
      const outcomes: string[] = []
      const { check, handedOn } = observedUntil({
        isObserving: () => false,
        elapsedMs: () => elapsedMs,
        record: ({ decision, onward: child }) => {
          outcomes.push(`${decision.kind === 'deny' ? decision.code : 'allow'} ${child?.jti}`)
          elapsedMs = 2001
          return wait()
        },
      })
      expect(await check(input, 2000)).to.include({ kind: 'deny', code: 'deadline_exceeded' })
      // The denial is the last record of its id, which counts; no chain was handed on.
      expect(outcomes).to.deep.equal(['allow j-child', 'deadline_exceeded undefined'])
      expect(handedOn.count).to.equal(0)
    })
  }

  it('leaves a denial as it is, recorded once', async () => {
    const { check, records } = buildChecker({
      elapsedMs: () => 3000,
      verifyChain: () => deny('chain_expired', ''),
    })
    expect(await check(input, 2000)).to.include({ code: 'chain_expired' })
    expect(records).to.have.length(1)
  })
})
