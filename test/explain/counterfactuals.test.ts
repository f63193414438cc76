import { expect } from 'chai'
import { type Situation, toMatter } from '../../src/authoring/situation.ts'
import { isDeny } from '../../src/base/model/decision.ts'
import { findCounterfactuals } from '../../src/explain/counterfactuals.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { alternativesTo } from '../../src/policy/rules/other-policies.ts'
import { hospital } from '../support/identities.ts'
import { hospitalRevision, mustLoad, policyFiles, servicesYaml } from '../support/policy-files.ts'

const { agentA, agentD, agentR } = hospital
const subject = { issuerName: 'hospital', id: 'clerk', groups: ['billing'] }
const record: Situation = {
  caller: agentR,
  subject,
  actors: [],
  scopes: [],
  isRecovered: false,
  service: 'patient-records',
  method: 'GET',
  path: '/patients/p-17',
  isUpgrade: false,
}

describe('explain/counterfactuals', () => {
  let sample: Revision
  before(async () => {
    sample = await hospitalRevision()
  })

  function flips(change: Partial<Situation>, revision = sample): ReturnType<typeof findCounterfactuals> {
    const matter = toMatter({ ...record, ...change }, revision.catalog)
    if (isDeny(matter)) throw new TypeError(matter.reason)
    return findCounterfactuals(matter, revision, alternativesTo(revision))
  }

  it('finds the one group that the subject lacks', () => {
    const [chain] = flips({})
    expect(chain).to.deep.include({ of: 'chain' })
    expect(chain?.steps).to.deep.equal(['`hospital/clerk` in the group `hospital/clinicians`'])
  })

  it('finds every step when several refuse', () => {
    const [chain] = flips({ caller: agentD, actors: [agentA] })
    expect(chain?.steps).to.have.length(3)
    expect(chain?.steps.join()).to.include(agentR.uri)
  })

  it('never lets a foreign user into a group of another provider', () => {
    const foreign = { ...subject, issuerName: 'partner' }
    expect(flips({ subject: foreign }).filter(({ of }) => of === 'chain')).to.deep.equal([])
  })

  it('drafts the permits that are missing, and names the forbids in their way', () => {
    const policy = flips({}).find(({ of }) => of === 'policy')
    expect(policy?.steps[0]).to.include('clinicians-only')
    expect(policy?.cedar.join()).to.include('principal in Group::"hospital/billing"')
  })

  it('drafts nothing but the permit when no forbid stands in the way', () => {
    const change = { caller: agentA, service: 'insurance', path: '/coverage/p-17' }
    const policy = flips(change).find(({ of }) => of === 'policy')
    expect(policy?.steps).to.have.length(1)
    expect(policy?.cedar).to.have.length(1)
  })

  it('says of an allow which group and which policy it hangs on', () => {
    const clinician = { ...subject, groups: ['clinicians', 'golf'] }
    const [group, policy] = flips({ subject: clinician })
    expect(group?.steps).to.deep.equal(['`hospital/clerk` without the group `hospital/clinicians`'])
    expect(policy?.steps[0]).to.include('agent-r-reads')
  })

  it('names the catalog where no policy could help', () => {
    expect(flips({ subject: undefined }).map(({ of }) => of)).to.deep.equal(['catalog'])
    const entry = { caller: 'ingress', service: 'insurance-agent', method: 'POST', path: '/tasks' } as const
    expect(flips(entry)[0]?.steps[0]).to.include('entry: true')
  })

  it('adds the scope that a route requires', () => {
    const routes = [{ match: 'GET /x', action: 'read-it', scope: 'x:read' }]
    const revision = mustLoad(policyFiles({ 'services.yaml': servicesYaml({ routes }) }))
    const [chain] = flips({ service: 'records', path: '/x' }, revision)
    expect(chain?.steps).to.deep.equal(['a chain with the scope `x:read`'])
  })
})
