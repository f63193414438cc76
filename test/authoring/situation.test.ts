import { expect } from 'chai'
import { judgeSituation, lookUp, type Situation } from '../../src/authoring/situation.ts'
import { isDeny } from '../../src/base/model/decision.ts'
import type { Revision } from '../../src/policy/revision/revision.ts'
import { hospital } from '../support/identities.ts'
import { hospitalRevision } from '../support/policy-files.ts'

const { agentA, agentD, agentR } = hospital
const clerk = { issuerName: 'hospital', id: 'clerk', groups: ['billing'] }
const coverage: Situation = {
  caller: agentD,
  subject: clerk,
  actors: [agentA],
  scopes: [],
  isRecovered: false,
  service: 'insurance',
  method: 'GET',
  path: '/coverage/p-17',
  isUpgrade: false,
}

describe('authoring/situation', () => {
  let sample: Revision
  before(async () => {
    sample = await hospitalRevision()
  })

  const situations: readonly {
    readonly name: string
    readonly change: Partial<Situation>
    readonly want: string
  }[] = [
    { name: 'allows what the live line allows', change: {}, want: 'permission' },
    {
      name: 'takes actors in the order in which they acted',
      change: { actors: [agentR, agentA] },
      want: 'policy_denied',
    },
    { name: 'presents no chain without a subject', change: { subject: undefined }, want: 'chain_missing' },
    {
      name: 'lets an ingress peer begin a chain where the catalog does',
      change: { caller: 'ingress', service: 'billing-agent', method: 'POST', path: '/tasks' },
      want: 'permission',
    },
    {
      name: 'knows no service that the catalog does not',
      change: { service: 'archive' },
      want: 'service_unknown',
    },
    { name: 'refuses a path as the line does', change: { path: '/coverage/../p' }, want: 'path_ambiguous' },
    { name: 'refuses an upgrade as the line does', change: { isUpgrade: true }, want: 'route_unknown' },
  ]
  for (const { name, change, want } of situations) {
    it(name, () => {
      const { decision } = judgeSituation({ ...coverage, ...change }, sample)
      expect(isDeny(decision) ? decision.code : decision.kind).to.equal(want)
    })
  }

  it('asks the caller first, then the delegators from the latest on, then the subject', () => {
    const { decision } = judgeSituation({ ...coverage, actors: [agentR, agentA] }, sample)
    const asked = decision.results.map(({ principal }) => principal.id)
    expect(asked).to.deep.equal([agentD.uri, agentA.uri, agentR.uri, 'hospital/clerk'])
  })

  const places: readonly { readonly place: string; readonly want: string | undefined }[] = [
    { place: 'insurance', want: 'insurance' },
    { place: 'insurance:8080', want: 'insurance' },
    { place: 'insurance:9090', want: undefined },
    { place: '10.96.0.10:8080', want: 'insurance' },
    { place: 'insurance.hospital.svc.cluster.local:8080', want: 'insurance' },
    { place: 'patient-records.hospital', want: 'patient-records' },
    { place: '10', want: undefined },
    { place: 'nothing', want: undefined },
  ]
  for (const { place, want } of places) {
    it(`finds ${want ?? 'no service'} at ${place}`, () => {
      expect(lookUp(place, sample.catalog)?.name).to.equal(want)
    })
  }
})
