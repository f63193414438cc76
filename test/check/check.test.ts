import { expect } from 'chai'
import type { RecordParts } from '../../src/audit/record-parts.ts'
import { deny } from '../../src/model/decision.ts'
import { buildChecker, input, revision } from '../support/built-checker.ts'
import { clerk, delegated, hospital } from '../support/identities.ts'
import { mustLoad, policyFiles, servicesYaml, workload } from '../support/policy-files.ts'

describe('check/check', () => {
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
    expect(records[0]?.caller?.id).to.equal(hospital.agentD)
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

  const routes = [{ match: 'GET /patients/{patientId}', action: 'read-it' }]
  const forwarding = mustLoad(policyFiles({ 'services.yaml': servicesYaml({ routes, forwards: true }) }))
  for (const { name, decided, code } of [
    { name: 'is allowed', decided: { kind: 'permission', results: [] } as const, code: 'audit_unavailable' },
    { name: 'would be refused', decided: deny('policy_denied', ''), code: 'policy_denied' },
  ]) {
    it(`hands on no chain that is not on record, also while observing, for what ${name}`, async () => {
      const onward = { token: 'child', jti: 'j', txn: 't', kid: 'k', parHash: undefined, expiresAt: 10 }
      const { check, handedOn } = buildChecker({
        revision: () => forwarding,
        isObserving: () => true,
        judge: () => decided,
        extendChain: () => onward,
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
    const { check } = buildChecker({ record: () => false, identifyCaller: () => deny('peer_missing', '') })
    expect(await check(input, 2000)).to.include({ code: 'peer_missing' })
  })

  it('turns an allow that comes too late into a denial', async () => {
    const { check, records } = buildChecker({ elapsedMs: () => 3000 })
    expect(await check(input, 2000)).to.include({ code: 'deadline_exceeded' })
    expect(records).to.have.length(1)
  })

  it('answers for work that never ends', async () => {
    const { check } = buildChecker({
      verifyChain: () => new Promise(() => {}),
      withinDeadline: async () => ({ decision: deny('deadline_exceeded', '') }),
    })
    expect(await check(input, 2000)).to.include({ code: 'deadline_exceeded' })
  })

  it('answers at once when nothing has to be waited for, however many are allowed to wait', () => {
    let hasWaited = false
    const { check, records } = buildChecker({
      verifyChain: () => delegated(clerk),
      withinDeadline: (work) => {
        hasWaited = true
        return work
      },
      maxInFlight: 1,
    })
    for (let round = 0; round < 3; round++) expect(check(input, 2000)).to.include({ kind: 'allow' })
    expect(hasWaited).to.equal(false)
    expect(records).to.have.length(3)
  })

  it('refuses more checks at once than allowed, and takes the next ones', async () => {
    const { check } = buildChecker({ maxInFlight: 2 })
    const answers = await Promise.all([check(input, 2000), check(input, 2000), check(input, 2000)])
    expect(answers.map((answer) => (answer.kind === 'deny' ? answer.code : 'allow'))).to.deep.equal([
      'allow',
      'allow',
      'overloaded',
    ])
    expect(await check(input, 2000)).to.include({ kind: 'allow' })
  })

  it('frees its place when a step throws', async () => {
    const { check } = buildChecker({
      maxInFlight: 1,
      verifyChain: () => Promise.reject(new RangeError('bug')),
    })
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
    const actors = [hospital.agentA]
    const { check, events } = buildChecker({
      revision: () => failing,
      verifyChain: () => ({ ...delegated(clerk), actors }),
    })
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
    const { check, records } = buildChecker({
      revision: () => current,
      verifyChain: async () => {
        current = other
        return delegated(clerk)
      },
    })
    expect(await check(input, 2000)).to.include({ kind: 'allow', policyRevision: revision.id })
    expect(records[0]?.policyRevision).to.equal(revision.id)
  })

  it('hands nothing on that is refused after all, and records no child of it', async () => {
    const minted = { token: 't', jti: 'j', txn: 'x', kid: 'k', parHash: undefined, expiresAt: 9 }
    const forwarding = mustLoad(
      policyFiles({
        'services.yaml': servicesYaml({
          forwards: true,
          routes: [
            { match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' },
          ],
        }),
      }),
    )
    const overlay = { revision: () => forwarding, extendChain: async () => minted }
    const allowed = buildChecker(overlay)
    await allowed.check(input, 2000)
    expect(allowed.handedOn.count).to.equal(1)
    expect(allowed.records[0]?.onward).to.deep.equal(minted)
    const late = buildChecker({ ...overlay, elapsedMs: () => 3000 })
    await late.check(input, 2000)
    expect(late.handedOn.count).to.equal(0)
    expect(late.records[0]?.onward).to.equal(undefined)
    const unrecorded = buildChecker({ ...overlay, record: () => false })
    await unrecorded.check(input, 2000)
    expect(unrecorded.handedOn.count).to.equal(0)
  })
})
