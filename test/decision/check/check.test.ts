import { expect } from 'chai'
import { deny } from '../../../src/base/model/decision.ts'
import type { RecordParts } from '../../../src/base/model/record-parts.ts'
import {
  anonymous,
  buildChecker,
  forwarding,
  input,
  refusing,
  revision,
} from '../../support/built-checker.ts'
import { nowMs, uris } from '../../support/hospital.ts'
import { mustLoad, policyFiles, workload } from '../../support/policy-files.ts'

describe('decision/check/check', () => {
  it('records each decision once, before it answers, with what judge needs to decide again', async () => {
    const { check, records, events } = buildChecker()
    const answer = await check(input, 2000)
    expect(answer).to.deep.include({ kind: 'allow', decisionId: 'id-1', policyRevision: revision.id })
    expect(records).to.have.length(1)
    expect(records[0]).to.deep.include({
      decisionId: 'id-1',
      policyRevision: revision.id,
      policyDigest: revision.digest,
      engine: revision.engineVersion,
    })
    expect(records[0]?.caller?.id.uri).to.equal(uris.agentD)
    expect(records[0]?.target?.resource).to.deep.equal({ type: 'Patient', id: '42' })
    expect(events.map(({ kind }) => kind)).to.deep.equal(['checked'])
  })

  it('records a request that could not be decoded', async () => {
    const { check, records } = buildChecker()
    expect(await check(deny('request_malformed', 'bytes'), 2000)).to.include({
      kind: 'deny',
      code: 'request_malformed',
    })
    expect(records[0]?.decision).to.include({ code: 'request_malformed', reason: 'bytes' })
  })

  it('refuses what it cannot record, and tries to record the refusal under the same id', async () => {
    const attempts: RecordParts[] = []
    const { check } = buildChecker({
      record: (parts) => {
        attempts.push(parts)
        return false
      },
    })
    expect(await check(input, 2000)).to.include({ kind: 'deny', code: 'audit_unavailable' })
    expect(attempts.map(({ decision, decisionId }) => [decision.kind, decisionId])).to.deep.equal([
      ['allow', 'id-1'],
      ['deny', 'id-1'],
    ])
    expect(attempts[1]).to.have.property('onward', undefined)
  })

  for (const { name, serving, code } of [
    { name: 'is allowed', serving: forwarding, code: 'audit_unavailable' },
    { name: 'would be refused', serving: refusing, code: 'policy_denied' },
  ]) {
    it(`hands on no chain that is not on record, also while observing, for what ${name}`, async () => {
      const { check, handedOn } = buildChecker({
        revision: () => serving,
        observing: { untilMs: nowMs + 1 },
        record: () => false,
      })
      expect(await check(input, 2000)).to.deep.include({
        kind: 'observed',
        code,
        setHeaders: [],
        removeHeaders: ['actor-chain'],
      })
      expect(handedOn.count).to.equal(1)
    })
  }

  it('answers only when a record that is not kept at once is kept', async () => {
    let keep = (_isKept: boolean): void => {}
    const { check } = buildChecker({ record: () => new Promise((resolve) => (keep = resolve)) })
    let isAnswered = false
    const answer = Promise.resolve(check(input, 2000)).finally(() => {
      isAnswered = true
    })
    await new Promise(setImmediate)
    expect(isAnswered).to.equal(false)
    keep(true)
    expect(await answer).to.include({ kind: 'allow' })
  })

  it('refuses what was not kept in time, and waits no longer for the record of that', async () => {
    const attempts: RecordParts[] = []
    const { check } = buildChecker({
      record: (parts) => {
        attempts.push(parts)
        return attempts.length === 1 ? Promise.resolve(false) : new Promise(() => {})
      },
    })
    expect(await check(input, 2000)).to.include({ kind: 'deny', code: 'audit_unavailable' })
    expect(attempts.map(({ decision }) => decision.kind)).to.deep.equal(['allow', 'deny'])
  })

  it('counts a check that waits for its record as one in flight', async () => {
    let isWaiting = false
    const record = () => {
      const isFirst = !isWaiting
      isWaiting = true
      return isFirst ? new Promise<boolean>(() => {}) : true
    }
    const { check } = buildChecker({ maxInFlight: 1, record })
    void check(input, 2000)
    await new Promise(setImmediate)
    expect(isWaiting).to.equal(true)
    expect(await check(input, 2000)).to.include({ code: 'overloaded' })
  })

  it('refuses what never came to a decision without waiting for its record', () => {
    const { refuse } = buildChecker({ record: () => new Promise(() => {}) })
    expect(refuse(deny('internal_error', ''))).to.include({ kind: 'deny', code: 'internal_error' })
  })

  it('gives the record until the deadline, and has one written now for which no answer waits', async () => {
    const asked: (number | 'now')[] = []
    const { check, refuse } = buildChecker({
      record: (_parts, by) => {
        asked.push(by)
        return asked.length > 1
      },
    })
    await check(input, 2000)
    refuse(deny('internal_error', ''))
    expect(asked).to.deep.equal([2000, 'now', 'now'])
  })

  it('keeps a denial a denial of its own code when it cannot be recorded', async () => {
    const { check } = buildChecker({ record: () => false })
    expect(await check(anonymous, 2000)).to.include({ code: 'peer_missing' })
  })

  it('turns an allow that comes too late into a denial', async () => {
    const { check, records } = buildChecker({ elapsedMs: () => 3000 })
    expect(await check(input, 2000)).to.include({ code: 'deadline_exceeded' })
    expect(records).to.have.length(1)
  })

  it('answers at once when nothing has to be waited for, however many are allowed to wait', () => {
    const { check, records } = buildChecker({ maxInFlight: 1 })
    for (let round = 0; round < 3; round++) expect(check(input, 2000)).to.include({ kind: 'allow' })
    expect(records).to.have.length(3)
  })

  it('refuses more checks of a caller than may wait at once, and takes the next ones', async () => {
    const { check } = buildChecker({ maxInFlight: 4, record: async () => true })
    const answers = await Promise.all([check(input, 2000), check(input, 2000), check(input, 2000)])
    expect(answers.map((answer) => (answer.kind === 'deny' ? answer.code : 'allow'))).to.deep.equal([
      'allow',
      'allow',
      'overloaded',
    ])
    expect(await check(input, 2000)).to.include({ kind: 'allow' })
  })

  it("leaves room for another's checks while one caller's wait", async () => {
    const { check } = buildChecker({ maxInFlight: 4, record: async () => true })
    const flood = Array.from({ length: 20 }, () => check(input, 2000))
    const other = new Map(input.headers).set('x-forwarded-client-cert', [
      `By=${uris.waypoint};URI=${uris.agentR}`,
    ])
    // It holds no chain, and learns so: it was not refused for the others that wait.
    expect(await check({ ...input, headers: other }, 2000)).to.include({ code: 'chain_not_yours' })
    const answers = await Promise.all(flood)
    expect(answers.filter((answer) => answer.kind === 'deny')).to.have.length(18)
  })

  it('frees its place when a record fails', async () => {
    const { check } = buildChecker({ maxInFlight: 1, record: () => Promise.reject(new RangeError('bug')) })
    for (let round = 0; round < 2; round++) {
      const outcome = await Promise.resolve(check(input, 2000)).catch((error: unknown) => error)
      expect(outcome).to.be.instanceOf(RangeError)
    }
  })

  it('denies while no revision serves', async () => {
    const { check } = buildChecker({ revision: () => undefined })
    expect(await check(input, 2000)).to.include({ code: 'policy_unavailable', policyRevision: undefined })
  })

  it('tells how many policies failed, whether or not they decided anything', async () => {
    const failing = mustLoad(
      policyFiles({
        'team/a.cedar':
          'permit (principal, action, resource in Service::"records") when { 9223372036854775807 + context.chain.depth > 0 };\npermit (principal, action, resource in Service::"records");\n',
      }),
    )
    const { check, events } = buildChecker({ revision: () => failing })
    expect(await check(input, 2000)).to.include({ kind: 'allow' })
    expect(events.map((event) => event.kind === 'checked' && event.failedPolicies)).to.deep.equal([3])
  })

  it('decides by the revision that it began with, and records that one', async () => {
    const other = mustLoad(
      policyFiles({
        'team/a.cedar': `permit (principal == Agent::"${workload('x')}", action, resource in Service::"records");`,
      }),
    )
    let current = revision
    const recorded: (string | undefined)[] = []
    const { check } = buildChecker({
      revision: () => current,
      async record({ policyRevision }) {
        current = other
        recorded.push(policyRevision)
        return true
      },
    })
    expect(await check(input, 2000)).to.include({ kind: 'allow', policyRevision: revision.id })
    expect(recorded).to.deep.equal([revision.id])
  })

  it('hands nothing on that is refused after all, and records no child of it', async () => {
    const overlay = { revision: () => forwarding }
    const allowed = buildChecker(overlay)
    await allowed.check(input, 2000)
    expect(allowed.handedOn.count).to.equal(1)
    expect(allowed.records[0]?.onward).to.include({ kid: 'chain-1' })
    const late = buildChecker({ ...overlay, elapsedMs: () => 3000 })
    await late.check(input, 2000)
    expect(late.handedOn.count).to.equal(0)
    expect(late.records[0]?.onward).to.equal(undefined)
    const unrecorded = buildChecker({ ...overlay, record: () => false })
    await unrecorded.check(input, 2000)
    expect(unrecorded.handedOn.count).to.equal(0)
  })
})
