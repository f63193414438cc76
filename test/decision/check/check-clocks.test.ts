import { expect } from 'chai'
import type { CheckInput } from '../../../src/base/model/check-input.ts'
import { type Deny, deny } from '../../../src/base/model/decision.ts'
import type { CheckShell } from '../../../src/decision/check/check.ts'
import { broken, buildChecker, forwarding, input, refusing } from '../../support/built-checker.ts'
import { nowMs as endsAtMs } from '../../support/hospital.ts'

type Overlay = Parameters<typeof buildChecker>[0]

/** A service that gets a chain, while observing goes on until `endsAtMs`. */
function observedUntil(overlay: Overlay) {
  return buildChecker({ revision: () => forwarding, observing: { untilMs: endsAtMs }, ...overlay })
}

/** A clock that moves by 1 ms at each read, and ends observing at the given one. */
function endingAtRead(read: number): () => number {
  let reads = 0
  return () => endsAtMs - read + ++reads
}

describe('the wall clock of a check', () => {
  const cases: readonly { name: string; asked: CheckInput | Deny; overlay: NonNullable<Overlay> }[] = [
    { name: 'what is allowed', asked: input, overlay: {} },
    { name: 'what policies refuse', asked: input, overlay: { revision: () => refusing } },
    { name: 'a broken chain', asked: broken, overlay: {} },
    { name: 'what cannot be decoded', asked: deny('request_malformed', ''), overlay: {} },
    { name: 'what is shed', asked: input, overlay: { maxInFlight: 0 } },
    { name: 'what is late', asked: input, overlay: { elapsedMs: () => 3000 } },
    { name: 'what is recorded after a wait', asked: input, overlay: { record: async () => true } },
    { name: 'what cannot be recorded', asked: input, overlay: { record: () => false } },
  ]
  for (const { name, asked, overlay } of cases) {
    it(`is read once for ${name}`, async () => {
      let reads = 0
      const { check } = observedUntil({ ...overlay, nowMs: () => endsAtMs + ++reads })
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
        expect(told.at(-1)).to.equal(`${answer.kind} ${handed === undefined ? 'nothing' : 'a child'}`)
      }
    })
  }

  it('is the moment that verifies, mints, records and keeps', async () => {
    const moments: number[] = []
    let atMs = endsAtMs - 1000
    const { check } = observedUntil({
      nowMs: () => {
        atMs += 1000
        return atMs
      },
      record: ({ timeMs }) => moments.push(timeMs) > 0,
      handedOn: (_headers, { onward }, heldAtMs) =>
        void moments.push(heldAtMs, (onward?.expiresAt ?? 0) * 1000 - 300_000),
    })
    await check(input, 2000)
    expect(moments).to.deep.equal([endsAtMs, endsAtMs, endsAtMs])
  })
})

/** Notes what each record says was answered and handed on. */
function recordInto(told: (string | undefined)[], { record = () => true }: NonNullable<Overlay>) {
  const noting: CheckShell['record'] = (parts, by) => {
    const { decision, isObserved, onward: child } = parts
    const outcome = decision.kind === 'deny' && isObserved === true ? 'observed' : decision.kind
    told.push(`${outcome} ${child === undefined ? 'nothing' : 'a child'}`)
    return record(parts, by)
  }
  return { record: noting }
}

describe('the deadline of a check', () => {
  for (const { name, stepMs } of [
    { name: 'forward', stepMs: 3_600_000 },
    { name: 'back', stepMs: -3_600_000 },
  ]) {
    it(`does not pass when the wall clock is put ${name} while the check runs`, async () => {
      let nowMs = endsAtMs
      const { check } = buildChecker({
        nowMs: () => nowMs,
        elapsedMs: () => 1000,
        async record() {
          nowMs += stepMs
          return true
        },
      })
      expect(await check(input, 1000)).to.include({ kind: 'allow' })
    })

    it(`passes when the wall clock is put ${name} while the check runs`, async () => {
      let [nowMs, elapsedMs] = [endsAtMs, 1000]
      const { check } = buildChecker({
        nowMs: () => nowMs,
        elapsedMs: () => elapsedMs,
        async record() {
          nowMs += stepMs
          elapsedMs = 1001
          return true
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
        observing: undefined,
        elapsedMs: () => elapsedMs,
        record: ({ decision, onward: child }) => {
          outcomes.push(
            `${decision.kind === 'deny' ? decision.code : 'allow'} ${child === undefined ? 'alone' : 'and a child'}`,
          )
          elapsedMs = 2001
          return wait()
        },
      })
      expect(await check(input, 2000)).to.include({ kind: 'deny', code: 'deadline_exceeded' })
      // The denial is the last record of its id, which counts; no chain was handed on.
      expect(outcomes).to.deep.equal(['allow and a child', 'deadline_exceeded alone'])
      expect(handedOn.count).to.equal(0)
    })
  }

  it('leaves a denial as it is, recorded once', async () => {
    const { check, records } = buildChecker({ elapsedMs: () => 3000 })
    expect(await check(broken, 2000)).to.include({ code: 'chain_signature' })
    expect(records).to.have.length(1)
  })
})
