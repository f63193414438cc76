import { expect } from 'chai'
import { deny } from '../../../src/base/model/decision.ts'
import { anonymous, buildChecker, factsOf, forwarding, input, refusing } from '../../support/built-checker.ts'
import { nowMs } from '../../support/hospital.ts'

describe('what a check decides, records and hands on', () => {
  it('refuses even what nobody can read while all places are taken', async () => {
    let attempts = 0
    const { check } = buildChecker({
      maxInFlight: 1,
      record: () => (++attempts === 1 ? new Promise<boolean>(() => {}) : true),
    })
    const unreadable = deny('request_malformed', 'bytes')
    void check(unreadable, 2000)
    for (const asked of [unreadable, anonymous, input])
      expect(await check(asked, 2000)).to.include({ code: 'overloaded' })
  })

  it('asks once which revision serves, and all that it says is of that one', async () => {
    let asked = 0
    const { check, records } = buildChecker({ revision: () => (asked++ === 0 ? forwarding : refusing) })
    expect(await check(input, 2000)).to.include({ kind: 'allow', policyRevision: forwarding.id })
    const { id, digest, engineVersion } = forwarding
    expect(records[0]).to.include({ policyRevision: id, policyDigest: digest, engine: engineVersion })
    expect([asked, records.length]).to.deep.equal([1, 1])
  })

  it('hands on what it records, while observing what policies refuse', async () => {
    const observing = { untilMs: nowMs + 1 }
    const { check, records, handedOn } = buildChecker({ revision: () => refusing, observing })
    const answer = await check(input, 2000)
    if (answer.kind !== 'observed') throw new TypeError(answer.kind)
    expect(answer.setHeaders.map(([name]) => name)).to.include('actor-chain')
    expect(records[0]?.onward).to.include({ kid: 'chain-1' })
    expect(handedOn.count).to.equal(1)
  })

  it('records no chain for what it refuses, though facts took it for observed', async () => {
    const { settings } = factsOf()
    const observed = { ...settings, observing: { untilMs: nowMs + 1 } }
    const { check, records, handedOn } = buildChecker({
      revision: () => refusing,
      facts: (serving, atMs) => factsOf({ settings: observed }, serving, atMs),
    })
    expect(await check(input, 2000)).to.include({ kind: 'deny', code: 'policy_denied' })
    expect(records.map(({ onward }) => onward)).to.deep.equal([undefined])
    expect(handedOn.count).to.equal(0)
  })
})
