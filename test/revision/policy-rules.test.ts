import { servicesYaml, workload } from '../support/policy-files.ts'
import { itRefuses, type RefusedRepository } from '../support/refused-repository.ts'

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

describe('revision/policy-rules', () => {
  for (const row of refused) itRefuses(row)
})
