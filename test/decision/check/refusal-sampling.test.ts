import { expect } from 'chai'
import type { Answer } from '../../../src/base/model/answer.ts'
import { type Deny, deny } from '../../../src/base/model/decision.ts'
import { createRefusalSampling } from '../../../src/decision/check/refusal-sampling.ts'
import { anonymous, buildChecker, input, openAdmission } from '../../support/built-checker.ts'
import { uris } from '../../support/hospital.ts'

const denial = deny('overloaded', 'too many')

function build() {
  const clock = { nowMs: 0 }
  const records: Deny[] = []
  const shedding = createRefusalSampling(() => clock.nowMs)
  const shed = (caller: string): { readonly answer: Answer; readonly isRepeated: boolean } => {
    let isRepeated = false
    const answer = shedding.answer(
      caller,
      denial,
      (decision) => {
        records.push(decision)
        const decisionId = `id-${records.length}`
        return { kind: 'deny', code: decision.code, decisionId, txn: undefined, policyRevision: undefined }
      },
      () => {
        isRepeated = true
      },
    )
    return { answer, isRepeated }
  }
  return { clock, records, shed }
}

const refusingAll = { ...openAdmission(), refuse: () => deny('overloaded', 'too much') }

describe('decision/check/refusal-sampling', () => {
  it('answers a second of refusals by one record', () => {
    const { clock, records, shed } = build()
    const first = shed('agent-a')
    clock.nowMs = 999
    expect(first.isRepeated).to.equal(false)
    expect(shed('agent-a')).to.deep.equal({ answer: first.answer, isRepeated: true })
    expect(records).to.deep.equal([denial])
  })

  it('records again after a second, and for how many the record before stood', () => {
    const { clock, records, shed } = build()
    for (let refusal = 0; refusal < 100; refusal++) shed('agent-a')
    clock.nowMs = 1000
    expect(shed('agent-a').answer).to.include({ decisionId: 'id-2' })
    expect(records.map(({ code }) => code)).to.deep.equal(['overloaded', 'overloaded'])
    expect(records[1]?.reason).to.match(/\b99 more$/)
  })

  it('lets no caller be answered with the record of another', () => {
    const { records, shed } = build()
    expect(shed('agent-a').answer).to.not.deep.equal(shed('agent-b').answer)
    expect(records).to.have.length(2)
  })

  it('remembers a bounded number of callers, and forgets the caller that was answered longest ago', () => {
    const { records, shed } = build()
    for (let caller = 0; caller < 1025; caller++) shed(`agent-${caller}`)
    expect(shed('agent-1').isRepeated).to.equal(true)
    expect(shed('agent-0').isRepeated).to.equal(false)
    expect(records).to.have.length(1026)
  })

  it('keeps a caller that was answered again over those that were answered longer ago', () => {
    const { clock, records, shed } = build()
    for (let caller = 0; caller < 1024; caller++) shed(`agent-${caller}`)
    clock.nowMs = 1000
    expect(shed('agent-5').isRepeated).to.equal(false)
    for (let caller = 1024; caller < 1034; caller++) shed(`agent-${caller}`)
    expect(shed('agent-5').isRepeated).to.equal(true)
    expect(records).to.have.length(1035)
  })

  it('forgets nobody to tell again whom it knows', () => {
    const { clock, records, shed } = build()
    for (let caller = 0; caller < 1024; caller++) shed(`agent-${caller}`)
    expect(shed('agent-0').isRepeated).to.equal(true)
    clock.nowMs = 1000
    shed('agent-1023')
    shed('agent-0')
    expect(records.at(-1)?.reason).to.match(/\b1 more$/)
  })

  it('refuses a caller whose work is not admitted, names it in the record, and begins nothing for it', async () => {
    const { check, records } = buildChecker({
      admission: refusingAll,
    })
    expect(await check(input, 2000)).to.include({ kind: 'deny', code: 'overloaded' })
    expect(records[0]?.caller?.id.uri).to.equal(uris.agentD)
    expect(records[0]).to.include({ chain: undefined, target: undefined })
    expect(records[0]?.service?.name).to.be.a('string')
  })

  it('asks who calls before it refuses, and nobody is refused in the name of a caller that is not proven', async () => {
    const asked: string[] = []
    const refuse = ({ uri }: { readonly uri: string }) => {
      asked.push(uri)
      return deny('overloaded', 'too much')
    }
    const { check } = buildChecker({ admission: { ...openAdmission(), refuse } })
    expect(await check(input, 2000)).to.include({ code: 'overloaded' })
    expect(await check(anonymous, 2000)).to.include({ code: 'peer_missing' })
    expect(asked).to.deep.equal([uris.agentD])
  })

  it('counts the time that a check has cost its caller', async () => {
    const charged: (string | number)[] = []
    let elapsedMs = 0
    const { check } = buildChecker({
      elapsedMs: () => ++elapsedMs,
      admission: { ...openAdmission(), charge: ({ uri }, workMs) => charged.push(uri, workMs) },
    })
    await check(input, 2000)
    expect(charged).to.deep.equal([uris.agentD, 1])
  })

  it('answers a flood by one record, and counts what that stands for', async () => {
    const { check, records, events } = buildChecker({
      admission: refusingAll,
    })
    const answers = [await check(input, 2000), await check(input, 2000), await check(input, 2000)]
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).to.equal(1)
    expect(records).to.have.length(1)
    expect(events.map(({ kind }) => kind)).to.deep.equal(['checked', 'shed', 'shed'])
  })

  it('answers no caller of a flood by the record of another', async () => {
    const { check, records } = buildChecker({ admission: refusingAll })
    const from = (uri: string) => {
      const xfcc = [`By=${uris.waypoint};URI=${uri}`]
      return { ...input, headers: new Map(input.headers).set('x-forwarded-client-cert', xfcc) }
    }
    const first = await check(input, 2000)
    const second = await check(from(uris.agentA), 2000)
    const third = await check(input, 2000)
    expect(records.map((record) => record.caller?.id.uri)).to.deep.equal([uris.agentD, uris.agentA])
    expect(third).to.equal(first)
    expect(second.decisionId).to.not.equal(first.decisionId)
  })

  it('lets none of those refusals wait for its record', () => {
    const { check } = buildChecker({
      admission: refusingAll,
      record: () => new Promise(() => {}),
    })
    expect(check(input, 2000)).to.include({ kind: 'deny', code: 'overloaded' })
  })

  it('observes each refusal by itself, and lets its request pass', async () => {
    const { check, records } = buildChecker({
      admission: refusingAll,
      observing: { untilMs: Number.POSITIVE_INFINITY },
    })
    for (let round = 0; round < 2; round++) {
      expect(await check(input, 2000)).to.include({ kind: 'observed', code: 'overloaded' })
    }
    expect(records).to.have.length(2)
  })
})
