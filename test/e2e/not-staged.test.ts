import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Hospital, startHospital } from '../../demo/hospital.ts'
import { clinician, recordsAudience } from '../../demo/idp.ts'
import { play, readAudit } from '../../demo/outcome.ts'
import { freePorts } from '../../demo/ports.ts'
import { chainHeader } from '../../demo/services/task.ts'
import { steps } from '../../demo/steps.ts'
import { workloads } from '../../demo/world.ts'
import { recordChecks } from '../support/check-recorder.ts'
import { mintChain } from '../support/hospital-chain.ts'
import { copyPolicies } from '../support/sample-policies.ts'

describe('hospital, nothing is staged', () => {
  it("fails one step when D's insurance permit is deleted", async () => {
    const policies = mkdtempSync(join(tmpdir(), 'waywarden-policies-'))
    copyPolicies(policies)
    const file = join(policies, 'insurance-team', 'insurance.cedar')
    const text = readFileSync(file, 'utf8')
    const without = text.replace(/@id\("agent-d-checks-coverage"\)[^;]*;/, '')
    expect(without).to.not.equal(text)
    writeFileSync(file, without)
    await using hospital = await startHospital({ policies })
    const outcomes = await play(hospital)
    const failed = outcomes.filter(({ ok }) => !ok)
    expect(failed.map(({ step, code }) => ({ step, code }))).to.deep.equal([
      { step: 'd-checks-insurance', code: 'policy_denied' },
    ])
    expect(failed[0]?.deniedBy.map(({ principal }) => principal)).to.deep.equal([workloads['agent-d']])
    rmSync(policies, { recursive: true })
  })

  it('answers every step with 403 and an empty body when Waywarden is stopped', async () => {
    await using hospital = await startHospital()
    expect(await hospital.stopWaywarden()).to.equal(0)
    for (const { from, to, method, path } of steps) {
      const answer = await hospital.meshOf(from)({ to, method, path, headers: {} })
      expect(answer).to.include({ status: 403, body: '' })
    }
  })

  it("sees R when D leaves with R's certificate", async () => {
    await using hospital = await startHospital({ certificateOf: { 'agent-d': 'agent-r' } })
    const outcomes = await play(hospital)
    const check = outcomes.find(({ step }) => step === 'd-checks-insurance')
    // The chain of A's task was minted for D, and R is not D.
    expect(check).to.include({ status: 403, code: 'chain_not_yours' })
    const record = (await readAudit(hospital)).get(check?.decisionId ?? '')
    expect(record?.caller?.id).to.equal(workloads['agent-r'])
    // A chain minted for R works from D's process: the certificate is the identity, nothing else.
    const token = await hospital.idp.issueToken(clinician, recordsAudience)
    const chain = await mintChain(hospital, clinician, [], 'agent-r')
    const headers = { authorization: `Bearer ${token}`, [chainHeader]: chain }
    const read = { to: 'patient-records', method: 'GET', path: '/patients/p-7', headers }
    expect(await hospital.meshOf('agent-d')(read)).to.include({ status: 200 })
  })

  for (const peer of ['xfcc', 'metadata'] as const) {
    it(`gets no source.principal from Envoy, peer: ${peer}`, async () => {
      const [askedPort = 0] = await freePorts(1)
      await using hospital = await startHospital({ peer, askedPort })
      await using recorder = await recordChecks(askedPort, waywardenPort(hospital))
      const answer = await hospital.meshOf('agent-d')({
        to: 'insurance',
        method: 'GET',
        path: '/coverage/p-7',
        headers: {},
      })
      expect(JSON.parse(answer.body)).to.include({ code: 'chain_missing' })
      const [check] = recorder.checks
      expect(check).to.include({ sourcePrincipal: '', destinationAddress: '10.96.0.10' })
      expect(check?.metadata['x-waypoint-peer-principal']).to.equal(
        peer === 'metadata' ? workloads['agent-d'] : undefined,
      )
    })
  }
})

function waywardenPort(hospital: Hospital): number {
  return hospital.ports.waywardens[0]?.port ?? 0
}
