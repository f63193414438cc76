import { expect } from 'chai'
import { findLeftOutChains } from '../../src/authoring/lint-chainless.ts'
import { mustLoad, policyFiles, servicesYaml, workload } from '../support/policy-files.ts'

const report = workload('report')
const place = 'resource in Service::"records"'
const alone = `permit (principal == Autonomous::"${report}", action, ${place});`
const asAgent = `permit (principal == Agent::"${report}", action, ${place});`
const anyUser = `permit (principal is User, action, ${place}) when { context.role == "subject" };`

const catalogs: Readonly<Record<'routes' | 'methods' | 'scope' | 'connections', object>> = {
  connections: { routes: undefined, tcp: true },
  routes: {
    routes: [{ match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }],
  },
  methods: { routes: undefined },
  scope: { routes: [{ match: '* /lists/**', action: 'read-it', scope: 'records:list' }] },
}

describe('authoring/lint-chainless', () => {
  const cases: readonly {
    readonly name: string
    readonly catalog: keyof typeof catalogs
    readonly cedar: string
    readonly finds: boolean
  }[] = [
    { name: 'is allowed alone, and refused with a chain', catalog: 'routes', cedar: alone, finds: true },
    {
      name: 'is allowed alone, and refused for its user',
      catalog: 'routes',
      cedar: alone + asAgent,
      finds: true,
    },
    { name: 'is allowed either way', catalog: 'routes', cedar: alone + asAgent + anyUser, finds: false },
    { name: 'is refused alone', catalog: 'routes', cedar: asAgent + anyUser, finds: false },
    { name: 'is meant to gain', catalog: 'routes', cedar: `@chainless("nightly") ${alone}`, finds: false },
    {
      name: 'connects, where no chain could be left out',
      catalog: 'connections',
      cedar: alone,
      finds: false,
    },
    { name: 'gains by method', catalog: 'methods', cedar: alone, finds: true },
    { name: 'could bring the scope', catalog: 'scope', cedar: alone + asAgent + anyUser, finds: false },
  ]
  for (const { name, catalog, cedar, finds } of cases) {
    it(`${finds ? 'finds' : 'passes over'} a caller that ${name}`, () => {
      const services = servicesYaml({ ...catalogs[catalog], chainless: [report] })
      const revision = mustLoad(policyFiles({ 'services.yaml': services, 'team/a.cedar': cedar }))
      expect(findLeftOutChains(revision)).to.have.length(finds ? 1 : 0)
    })
  }
})
