import { servicesYaml, waypoint } from '../support/policy-files.ts'
import { itRefuses, type RefusedRepository } from '../support/refused-repository.ts'

const route = { match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }

const refused: readonly RefusedRepository[] = [
  {
    name: 'a template for one of our own types',
    files: { 'services.yaml': servicesYaml({ routes: [{ ...route, resource: 'User::{patientId}' }] }) },
    at: 'services.yaml:1',
    mentions: /own types/,
  },
  {
    name: 'an id pasted together',
    files: { 'services.yaml': servicesYaml({ routes: [{ ...route, resource: 'Patient::a{patientId}' }] }) },
    at: 'services.yaml:1',
    mentions: /expected/,
  },
  {
    name: 'an unknown key',
    files: { 'services.yaml': servicesYaml({ rotes: [] }) },
    at: 'services.yaml:1',
    mentions: /rotes/,
  },
  {
    name: 'routes that take the same requests',
    files: {
      'services.yaml': servicesYaml({
        routes: [
          { ...route, match: 'GET /{a}/b', resource: 'Patient::{a}' },
          { ...route, match: 'GET /a/{b}', resource: 'Patient::{b}' },
        ],
      }),
    },
    at: 'services.yaml:1',
    mentions: /narrower/,
  },
  {
    name: 'a resource from a parameter the route lacks',
    files: { 'services.yaml': servicesYaml({ routes: [{ ...route, resource: 'Patient::{id}' }] }) },
    at: 'services.yaml:1',
    mentions: /no parameter/,
  },
  {
    name: 'a service whose identity is a waypoint',
    files: { 'services.yaml': servicesYaml({ spiffeId: waypoint }) },
    at: 'services.yaml:1',
    mentions: /waypoint/,
  },
  {
    name: 'a malformed SPIFFE ID',
    files: { 'services.yaml': servicesYaml({ spiffeId: 'spiffe://Hospital/x' }) },
    at: 'services.yaml:1',
    mentions: /trust domain/,
  },
  {
    name: 'raw paths with routes',
    files: { 'services.yaml': servicesYaml({ routes: [route], rawPaths: true }) },
    at: 'services.yaml:1',
    mentions: /rawPaths/,
  },
]

describe('revision/catalog', () => {
  for (const row of refused) itRefuses(row)
})
