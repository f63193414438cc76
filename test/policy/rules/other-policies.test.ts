import { expect } from 'chai'
import { judgeSituation, type Situation } from '../../../src/authoring/situation.ts'
import { isDeny } from '../../../src/base/model/decision.ts'
import type { Revision } from '../../../src/policy/revision/revision.ts'
import { alternativesTo, parseProposal } from '../../../src/policy/rules/other-policies.ts'
import { hospital } from '../../support/identities.ts'
import { mustLoad, policyFiles } from '../../support/policy-files.ts'

const request: Situation = {
  caller: hospital.agentA,
  subject: { issuerName: 'hospital', id: 'clerk', groups: [] },
  actors: [],
  scopes: [],
  isRecovered: false,
  service: 'records',
  method: 'GET',
  path: '/patients/1',
  isUpgrade: false,
}

function isAllowed(revision: Revision): boolean {
  return !isDeny(judgeSituation(request, revision).decision)
}

describe('policy/rules/other-policies', () => {
  const revision = mustLoad(policyFiles())

  it('decides by the other policies, with the same catalog and schema', () => {
    expect(isAllowed(revision)).to.equal(true)
    expect(isAllowed(alternativesTo(revision)([]))).to.equal(false)
    const proposal = parseProposal('b.cedar', 'permit (principal, action, resource);')
    expect(isAllowed(alternativesTo(revision)(proposal))).to.equal(true)
  })

  it('finds no policy in a text that does not parse', () => {
    expect(parseProposal('b.cedar', 'permit')).to.deep.equal([])
    expect(parseProposal('b.cedar', '@id("x") permit (principal, action, resource);')[0]?.id).to.equal(
      'b.cedar#x',
    )
  })
})
