import { expect } from 'chai'
import { mustLoad, policyFiles, servicesYaml, waypoint, workload } from '../../support/policy-files.ts'
import { itRefuses, type RefusedRepository } from '../../support/refused-repository.ts'

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

const both = 'principal: [Agent, User, Autonomous], resource: [Patient, Service], context: RequestContext'
const readIt = `entity Patient in [Service];\naction "read-it" appliesTo {${both}};`
/** Two services of which only the second one's second route says something wrong. */
const late = (wrong: object) => ({
  'services.yaml': JSON.stringify({
    services: [[route], [route, { match: 'GET /late', action: 'read-it', ...wrong }]].map(
      (routes, index) => ({
        name: index === 0 ? 'records' : 'second',
        addresses: [`10.0.0.${index}:80`],
        spiffeId: workload(`service-${index}`),
        waypoint,
        routes,
      }),
    ),
  }),
})

const more: readonly RefusedRepository[] = [
  {
    name: 'an action that the schema lacks, in the second route of the second service',
    files: late({ action: 'write-it' }),
    at: 'services.yaml:1',
    mentions: /service `second`, route `GET \/late`: action `write-it` is not in schema/,
  },
  {
    name: 'a resource type that the schema lacks, in the second route of the second service',
    files: late({ match: 'GET /late/{id}', resource: 'Ward::{id}' }),
    at: 'services.yaml:1',
    mentions: /service `second`, route `GET \/late\/\{id\}`: resource type `Ward` is not in schema/,
  },
  {
    name: 'an action for another type of resource',
    files: {
      'schema.cedarschema': `entity Ward in [Service];\n${readIt}`,
      'services.yaml': servicesYaml({ routes: [{ ...route, resource: 'Ward::{patientId}' }] }),
    },
    at: 'services.yaml:1',
    mentions: /`read-it` does not apply to `Ward`/,
  },
  {
    name: 'an action for resources alone, asked of the service itself',
    files: {
      'schema.cedarschema': readIt.replace('[Patient, Service]', '[Patient]'),
      'services.yaml': servicesYaml({ routes: [{ match: 'GET /all', action: 'read-it' }] }),
    },
    at: 'services.yaml:1',
    mentions: /`read-it` does not apply to `Service`/,
  },
  {
    name: 'an action without a context',
    files: { 'schema.cedarschema': readIt.replace(', context: RequestContext', '') },
    at: 'services.yaml:1',
    mentions: /`read-it`: expected `context: RequestContext`/,
  },
  {
    name: 'an enumeration as a resource type',
    files: {
      'schema.cedarschema': readIt.replace('entity Patient in [Service];', 'entity Patient enum ["42"];'),
    },
    at: 'services.yaml:1',
    mentions: /`Patient`: expected an entity with ids from requests, found an enumeration/,
  },
  {
    name: 'a resource type whose second attribute no request can prove',
    files: {
      'schema.cedarschema': readIt.replace('in [Service];', 'in [Service] {floor?: Long, vip: Bool};'),
    },
    at: 'services.yaml:1',
    mentions: /requires `vip`/,
  },
]

describe('policy/catalog/catalog-rules', () => {
  for (const row of [...refused, ...more]) itRefuses(row)

  it('takes a type with attributes that may be absent', () => {
    const schema = readIt.replace('in [Service];', 'in [Service] {floor?: Long, vip?: Bool};')
    expect(mustLoad(policyFiles({ 'schema.cedarschema': schema })).catalog.services).to.have.length(1)
  })

  it('takes a type of a namespace', () => {
    const schema = `namespace Clinic { entity Ward in [Service]; }\n${readIt.replace('[Patient,', '[Clinic::Ward, Patient,')}`
    const routes = [{ match: 'GET /wards/{id}', action: 'read-it', resource: 'Clinic::Ward::{id}' }]
    const files = policyFiles({ 'schema.cedarschema': schema, 'services.yaml': servicesYaml({ routes }) })
    expect(mustLoad(files).catalog.services).to.have.length(1)
  })
})
