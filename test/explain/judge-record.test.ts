import { expect } from 'chai'
import { parseRecord } from '../../src/audit/format/parse-record.ts'
import { formatRecord } from '../../src/audit/format/record.ts'
import { toRecord } from '../../src/audit/format/to-record.ts'
import { judgeSituation } from '../../src/authoring/situation.ts'
import { isDeny } from '../../src/base/model/decision.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { judgeRecord } from '../../src/explain/judge-record.ts'
import { judgeAgain } from '../../src/explain/why.ts'
import { connectionRequest } from '../../src/policy/catalog/target.ts'
import { clerkChain, deniedParts } from '../support/decision.ts'
import { hospital } from '../support/identities.ts'
import { hospitalRevision, mustLoad, policyFiles, servicesYaml } from '../support/policy-files.ts'

describe('explain/judge-record', () => {
  it('judges what a record says was asked, and gives back what it judged', async () => {
    const verdict = judgeRecord(toRecord(deniedParts()), await hospitalRevision())
    if (isInvalid(verdict)) throw new TypeError(verdict.reason)
    expect(isDeny(verdict.decision) && verdict.decision.code).to.equal('policy_denied')
    expect(verdict.matter?.chain).to.deep.include({ subject: clerkChain.subject, actors: clerkChain.actors })
  })

  it('judges a connection without HTTP from the line of its record', () => {
    const { agentA } = hospital
    const services = servicesYaml({ routes: undefined, tcp: true, chainless: [agentA.uri] })
    const cedar = `permit (principal == Autonomous::"${agentA.uri}", action == Action::"connect", resource);`
    const files = { 'services.yaml': services, 'team/a.cedar': `@blanket("test") ${cedar}` }
    const revision = mustLoad(policyFiles(files))
    const situation = { subject: undefined, actors: [], scopes: [], isRecovered: false, service: 'records' }
    const { decision, matter } = judgeSituation(
      { ...situation, ...connectionRequest, caller: agentA },
      revision,
    )
    if (isDeny(decision)) throw new TypeError(decision.reason)
    const allow = { kind: 'allow', results: decision.results } as const
    const input = { ...connectionRequest, host: '', destinationAddress: '10.0.0.1:80', headers: new Map() }
    const record = parseRecord(
      formatRecord(
        toRecord({ decisionId: 'one', timeMs: 0, durationMicros: 0, decision: allow, ...matter, input }),
      ),
    )
    if (isInvalid(record)) throw new TypeError(record.reason)
    const again = judgeRecord(record, revision)
    if (isInvalid(again)) throw new TypeError(again.reason)
    expect(again.decision).to.deep.equal(decision)
    expect(judgeAgain(record, revision)).to.deep.include({ outcome: 'allow', differences: [] })
    const without = mustLoad(
      policyFiles({ ...files, 'services.yaml': servicesYaml({ routes: undefined, tcp: true }) }),
    )
    expect(judgeAgain(record, without)).to.deep.include({ outcome: 'deny', code: 'chain_missing' })
  })

  it('judges nothing by a revision without the service', () => {
    expect(judgeRecord(toRecord(deniedParts()), mustLoad(policyFiles()))).to.include({ kind: 'invalid' })
  })
})
