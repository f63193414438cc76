import { expect } from 'chai'
import { toRecord } from '../../src/audit/format/to-record.ts'
import { isDeny } from '../../src/base/model/decision.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { judgeRecord } from '../../src/explain/judge-record.ts'
import { clerkChain, deniedParts } from '../support/decision.ts'
import { hospitalRevision, mustLoad, policyFiles } from '../support/policy-files.ts'

describe('explain/judge-record', () => {
  it('judges what a record says was asked, and gives back what it judged', async () => {
    const verdict = judgeRecord(toRecord(deniedParts()), await hospitalRevision())
    if (isInvalid(verdict)) throw new TypeError(verdict.reason)
    expect(isDeny(verdict.decision) && verdict.decision.code).to.equal('policy_denied')
    expect(verdict.matter?.chain).to.deep.include({ subject: clerkChain.subject, actors: clerkChain.actors })
  })

  it('judges nothing by a revision without the service', () => {
    expect(judgeRecord(toRecord(deniedParts()), mustLoad(policyFiles()))).to.include({ kind: 'invalid' })
  })
})
