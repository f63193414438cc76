import { servicesYaml } from '../support/policy-files.ts'
import { itRefuses, type RefusedRepository } from '../support/refused-repository.ts'

const route = { match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }

const refused: readonly RefusedRepository[] = [
  {
    name: 'an action that the schema lacks',
    files: { 'services.yaml': servicesYaml({ routes: [{ ...route, action: 'write-it' }] }) },
    at: 'services.yaml:1',
    mentions: /`write-it` is not in schema/,
  },
  {
    name: 'a resource type that the schema lacks',
    files: { 'services.yaml': servicesYaml({ routes: [{ ...route, resource: 'Ward::{patientId}' }] }) },
    at: 'services.yaml:1',
    mentions: /`Ward` is not in schema/,
  },
  {
    name: 'a resource type outside its service',
    files: {
      'schema.cedarschema':
        'entity Patient;\naction "read-it" appliesTo {principal: [Agent], resource: [Patient, Service], context: RequestContext};',
    },
    at: 'services.yaml:1',
    mentions: /in \[Service\]/,
  },
  {
    name: 'a resource type with an attribute that no request can prove',
    files: {
      'schema.cedarschema':
        'entity Patient in [Service] {vip: Bool};\naction "read-it" appliesTo {principal: [Agent], resource: [Patient, Service], context: RequestContext};',
    },
    at: 'services.yaml:1',
    mentions: /`vip`/,
  },
  {
    name: 'an action with another context',
    files: {
      'schema.cedarschema':
        'entity Patient in [Service];\naction "read-it" appliesTo {principal: [Agent], resource: [Patient, Service], context: {}};',
    },
    at: 'services.yaml:1',
    mentions: /RequestContext/,
  },
]

describe('revision/catalog-rules', () => {
  for (const row of refused) itRefuses(row)
})
