import { expect } from 'chai'
import { loadRevision } from '../../../src/policy/revision/load.ts'
import { policyFiles, servicesYaml, waypoint, workload } from '../../support/policy-files.ts'
import { itRefuses, type RefusedRepository } from '../../support/refused-repository.ts'

const route = { match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }

const refused: readonly RefusedRepository[] = [
  {
    name: 'a permit on a service of another team',
    files: { 'services.yaml': servicesYaml({ routes: [route], owner: 'records-team' }) },
    at: 'team/a.cedar:1',
    mentions: /`records-team\/`/,
  },
  {
    name: 'an unconstrained principal where a caller may come without a chain',
    files: { 'services.yaml': servicesYaml({ routes: [route], chainless: [workload('cron')] }) },
    at: 'team/a.cedar:1',
    mentions: /@blanket/,
  },
  {
    name: 'a subject permitted on every resource',
    files: {
      'team/a.cedar': 'permit (principal is User, action, resource) when { context.role == "subject" };',
    },
    at: 'team/a.cedar:1',
    mentions: /@blanket/,
  },
]

describe('policy/rules/policy-rules', () => {
  it('names few of many services that belong to others', () => {
    const services = Array.from({ length: 100 }, (_, index) => ({
      name: `s${index}`,
      owner: 'others',
      addresses: [`10.0.0.${index}:80`],
      spiffeId: workload(`s${index}`),
      waypoint,
      routes: [route],
    }))
    const problems = loadRevision(
      policyFiles({
        'services.yaml': JSON.stringify({ services }),
        'team/a.cedar': 'permit (principal, action, resource is Patient) when { context.role == "caller" };',
      }),
    )
    expect(problems).to.have.property('problems').with.length(11)
    expect(problems).to.have.nested.property('problems[10].message').that.includes('90 more')
  })

  for (const row of refused) itRefuses(row)

  for (const resource of [
    'resource == Patient::"p-7"',
    'resource is Patient',
    'resource in Service::"records"',
  ]) {
    it(`lets the owner of the service permit on \`${resource}\`, and nobody else`, () => {
      const services = servicesYaml({ routes: [route], owner: 'records-team' })
      const text = `permit (principal is User, action, ${resource});`
      const files = (folder: string) =>
        policyFiles({ 'services.yaml': services, 'team/a.cedar': undefined, [`${folder}/a.cedar`]: text })
      expect(loadRevision(files('records-team'))).to.have.property('policies')
      expect(loadRevision(files('team'))).to.have.nested.property('problems[0].file', 'team/a.cedar')
    })
  }
})
