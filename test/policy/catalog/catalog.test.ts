import { expect } from 'chai'
import { mustLoad, policyFiles, servicesYaml, waypoint, workload } from '../../support/policy-files.ts'
import { itRefuses, type RefusedRepository } from '../../support/refused-repository.ts'

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
  ...Object.entries({
    routes: [route],
    rawPaths: true,
    caseSensitive: true,
    removeHeaders: ['x-tenant'],
    entry: true,
    forwards: true,
    scopes: [],
    hopLifetime: '5m',
  }).map(([key, value]) => ({
    name: `\`${key}\` of a service that takes connections`,
    files: { 'services.yaml': servicesYaml({ routes: undefined, tcp: true, [key]: value }) },
    at: 'services.yaml:1',
    mentions: new RegExp(`\`tcp\` goes without \`${key}\``),
  })),
  {
    name: 'an unknown option of `entry`',
    files: { 'services.yaml': servicesYaml({ entry: { forwardAuthorisation: true } }) },
    at: 'services.yaml:1',
    mentions: /entry\.forwardAuthorisation.*did you mean `forwardAuthorization`/,
  },
  {
    name: 'an `entry` of another form',
    files: { 'services.yaml': servicesYaml({ entry: 'yes' }) },
    at: 'services.yaml:1',
    mentions: /`entry`: expected true or false, found `yes`; write `true`/,
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
    mentions: /take the same requests; make one strictly narrower/,
  },
  {
    name: 'routes that take the same requests, with another between them',
    files: {
      'services.yaml': servicesYaml({
        routes: [
          { ...route, match: 'GET /{a}/b', resource: 'Patient::{a}' },
          { ...route, match: 'GET /c', resource: undefined },
          { ...route, match: 'GET /a/{b}', resource: 'Patient::{b}' },
        ],
      }),
    },
    at: 'services.yaml:1',
    mentions: /`GET \/\{a\}\/b` and `GET \/a\/\{b\}` take the same requests/,
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
    name: 'a service of another trust domain, for which a chain would be minted',
    files: { 'services.yaml': servicesYaml({ spiffeId: 'spiffe://partner.example/ns/a/sa/records' }) },
    at: 'services.yaml:1',
    mentions: /`partner\.example`.*`hospital\.example`/,
  },
  {
    name: 'a service behind a waypoint of another trust domain',
    files: { 'services.yaml': servicesYaml({ waypoint: 'spiffe://partner.example/ns/a/sa/waypoint' }) },
    at: 'services.yaml:1',
    mentions: /`hospital\.example`.*`partner\.example`/,
  },
  {
    name: 'a service of another trust domain behind a waypoint of its own',
    files: {
      'services.yaml': JSON.stringify({
        services: [
          JSON.parse(
            servicesYaml({
              name: 'partner',
              addresses: ['10.0.0.2:80'],
              spiffeId: 'spiffe://partner.example/ns/a/sa/records',
              waypoint: 'spiffe://partner.example/ns/a/sa/waypoint',
            }),
          ).services[0],
          ...['one', 'two'].map(
            (name, at) =>
              JSON.parse(servicesYaml({ name, addresses: [`10.0.1.${at}:80`], spiffeId: workload(name) }))
                .services[0],
          ),
        ],
      }),
    },
    at: 'services.yaml:1',
    mentions: /`partner`.*`partner\.example`.*`hospital\.example`/,
  },
  {
    name: 'raw paths with routes',
    files: { 'services.yaml': servicesYaml({ routes: [route], rawPaths: true }) },
    at: 'services.yaml:1',
    mentions: /rawPaths/,
  },
  ...['0s', '999ms'].map((hopLifetime) => ({
    name: `a hop that lasts ${hopLifetime}`,
    files: { 'services.yaml': servicesYaml({ hopLifetime, routes: [route] }) },
    at: 'services.yaml:1',
    mentions: /service `records`: `hopLifetime`: expected .*1s/,
  })),
]

const more: readonly RefusedRepository[] = [
  {
    name: 'one address twice in a list, in two spellings',
    files: { 'services.yaml': servicesYaml({ addresses: ['a:80', 'A.:80'] }) },
    at: 'services.yaml:1',
    mentions: /`A\.:80` is on its list already, spelled `a:80`/,
  },
  {
    name: 'an address with an odd zero',
    files: { 'services.yaml': servicesYaml({ addresses: ['010.0.0.1:80'] }) },
    at: 'services.yaml:1',
    mentions: /`010` begins with 0, which some read as octal/,
  },
  {
    name: 'routes that are one to a server that folds case',
    files: {
      'services.yaml': servicesYaml({
        routes: [
          { ...route, match: 'GET /Patients/{patientId}' },
          { ...route, match: 'GET /patients/{patientId}' },
        ],
      }),
    },
    at: 'services.yaml:1',
    mentions: /folds case or trims segments; .*`caseSensitive: true`/,
  },
  {
    name: 'routes that are one to a server that trims segments, though it tells cases apart',
    files: {
      'services.yaml': servicesYaml({
        caseSensitive: true,
        routes: [
          { ...route, match: 'GET /patients./{patientId}' },
          { ...route, match: 'GET /patients/{patientId}' },
        ],
      }),
    },
    at: 'services.yaml:1',
    mentions: /write no dots at the end of a segment/,
  },
  {
    name: 'a segment of dots in a route',
    files: { 'services.yaml': servicesYaml({ routes: [{ ...route, match: 'GET /.../{patientId}' }] }) },
    at: 'services.yaml:1',
    mentions: /found `\.\.\.`/,
  },
  ...['host', 'Content-Length', 'transfer-encoding', 'upgrade'].map((header) => ({
    name: `\`${header}\` among the headers to remove`,
    files: { 'services.yaml': servicesYaml({ removeHeaders: [header] }) },
    at: 'services.yaml:1',
    mentions: /Envoy needs this header/,
  })),
  ...[':path', 'x tenant', ''].map((header) => ({
    name: `\`${header}\` as the name of a header to remove`,
    files: { 'services.yaml': servicesYaml({ removeHeaders: [header] }) },
    at: 'services.yaml:1',
    mentions: /expected the name of a header/,
  })),
]

describe('policy/catalog/catalog', () => {
  for (const row of [...refused, ...more]) itRefuses(row)

  it('takes routes that differ in case of a service that tells cases apart', () => {
    const routes = ['/Patients', '/patients'].map((path) => ({ match: `GET ${path}`, action: 'read-it' }))
    const files = policyFiles({ 'services.yaml': servicesYaml({ caseSensitive: true, routes }) })
    expect(mustLoad(files).catalog.services[0]?.routes).to.have.length(2)
  })

  it('takes headers to remove in any case', () => {
    const files = policyFiles({
      'services.yaml': servicesYaml({ removeHeaders: ['X-Tenant'], routes: undefined }),
    })
    expect(mustLoad(files).catalog.services[0]?.removeHeaders).to.deep.equal(['x-tenant'])
  })
})
