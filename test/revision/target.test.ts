import { expect } from 'chai'
import type { Caller, PeerSource } from '../../src/model/caller.ts'
import type { CheckInput } from '../../src/model/check-input.ts'
import { type Deny, isDeny } from '../../src/model/decision.ts'
import type { Target } from '../../src/model/target.ts'
import { checkWaypoint, findService, targetOf, toRequest } from '../../src/revision/target.ts'
import { caller, hospital } from '../support/identities.ts'
import { measureHeap } from '../support/memory.ts'
import { mustLoad, policyFiles, waypoint, workload } from '../support/policy-files.ts'

const services = {
  services: [
    {
      name: 'records',
      addresses: ['records.test.svc.cluster.local:80', '10.0.0.1:80'],
      spiffeId: workload('records'),
      waypoint,
      routes: [
        { match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' },
        { match: 'GET /patients/all', action: 'read-it' },
        { match: 'GET /live', action: 'read-it', stream: true },
      ],
    },
    { name: 'plain', addresses: ['10.0.0.2:80'], spiffeId: workload('plain'), waypoint },
    { name: 'raw', addresses: ['10.0.0.3:80'], spiffeId: workload('raw'), waypoint, rawPaths: true },
    {
      name: 'elsewhere',
      addresses: ['10.0.0.4:80'],
      spiffeId: workload('elsewhere'),
      waypoint: workload('other-waypoint'),
    },
  ],
}
const { catalog } = mustLoad(policyFiles({ 'services.yaml': JSON.stringify(services) }))

type Request = {
  address?: string
  method?: string
  path?: string
  headers?: Record<string, string>
  metadata?: Record<string, readonly string[]>
  host?: string
}

function input({
  address = '10.0.0.1:80',
  method = 'GET',
  path = '/patients/42',
  headers = {},
  metadata = {},
  host = 'insurance',
}: Request): CheckInput {
  const single = Object.entries(headers).map(([name, value]) => [name, [value]] as const)
  return {
    sourcePrincipal: '',
    destinationAddress: address,
    method,
    path,
    host,
    headers: new Map(single),
    metadata: new Map(Object.entries(metadata)),
    tlsPeerUris: [],
  }
}

function findTarget(input: CheckInput, caller: Caller): Target | Deny {
  const service = findService(input, caller.provenBy, catalog)
  if (isDeny(service)) return service
  return checkWaypoint(caller, service) ?? targetOf(service, toRequest(input))
}

function by(provenBy: PeerSource): Caller {
  return { ...caller(hospital.agentD), provenBy }
}

const chain = (host: string, direction = 'inbound-vip') => [`${direction}|80|http|${host}`]
const records = 'records.test.svc.cluster.local'

describe('revision/target', () => {
  const found = [
    {
      name: 'the service by its address, whatever Host says',
      request: {},
      want: 'records read-it Patient::42',
    },
    {
      name: 'the narrowest of nested routes',
      request: { path: '/patients/all' },
      want: 'records read-it Service::records',
    },
    {
      name: 'a parameter decoded once',
      request: { path: '/patients/a%20b?x=/..' },
      want: 'records read-it Patient::a b',
    },
    {
      name: 'the method as action where there are no routes',
      request: { address: '10.0.0.2:80', method: 'DELETE', path: '/x' },
      want: 'plain DELETE Service::plain',
    },
    {
      name: 'an odd path where the service says it takes them',
      request: { address: '10.0.0.3:80', path: '/a//b' },
      want: 'raw GET Service::raw',
    },
    {
      name: 'an upgrade where the route says `stream`',
      request: { path: '/live', headers: { upgrade: 'websocket' } },
      want: 'records read-it Service::records',
    },
  ]
  for (const { name, request, want } of found) {
    it(`finds ${name}`, () => {
      const target = findTarget(input(request), by('xfcc'))
      if (isDeny(target)) throw new TypeError(target.reason)
      expect(
        `${target.service.name} ${target.action.id} ${target.resource.type}::${target.resource.id}`,
      ).to.equal(want)
    })
  }

  const refused = [
    {
      name: 'an address that belongs to nobody',
      request: { address: '10.9.9.9:80' },
      want: 'service_unknown',
    },
    { name: 'another port of a known address', request: { address: '10.0.0.1:81' }, want: 'service_unknown' },
    { name: 'no address', request: { address: '' }, want: 'service_unknown' },
    {
      name: 'a waypoint that is not in front of the service',
      request: { address: '10.0.0.4:80' },
      want: 'waypoint_unknown',
    },
    { name: 'a path without a route', request: { path: '/admin' }, want: 'route_unknown' },
    { name: 'a method without a route', request: { method: 'POST' }, want: 'route_unknown' },
    { name: 'a method in lower case', request: { method: 'get' }, want: 'request_malformed' },
    { name: 'CONNECT', request: { address: '10.0.0.2:80', method: 'CONNECT' }, want: 'request_malformed' },
    { name: 'an ambiguous path', request: { path: '/patients/../admin' }, want: 'path_ambiguous' },
    {
      name: 'an ambiguous path of a service without routes',
      request: { address: '10.0.0.2:80', path: '/a%2fb' },
      want: 'path_ambiguous',
    },
    {
      name: 'an upgrade on a route that does not stream',
      request: { headers: { upgrade: 'websocket' } },
      want: 'route_unknown',
    },
    {
      name: 'an upgrade where there are no routes',
      request: { address: '10.0.0.2:80', headers: { upgrade: 'websocket' } },
      want: 'route_unknown',
    },
  ]
  for (const { name, request, want } of refused) {
    it(`refuses ${name}`, () => expect(findTarget(input(request), by('xfcc'))).to.have.property('code', want))
  }

  it('shows policies one path for its spellings', () => {
    const [service] = catalog.services
    if (service === undefined) throw new TypeError('no service')
    const paths = ['/patients/a:b', '/patients/a%3Ab'].map((path) =>
      targetOf(service, { method: 'GET', path, isUpgrade: false }),
    )
    expect(paths.map((target) => !isDeny(target) && target.path)).to.deep.equal([
      '/patients/a:b',
      '/patients/a:b',
    ])
  })

  for (const name of ['plain', 'raw']) {
    it(`lets go of the query, where paths are ${name}`, async () => {
      const service = catalog.byName.get(name)
      if (service === undefined) throw new TypeError('no service')
      const count = 1000
      const { bytes } = await measureHeap(() =>
        Array.from({ length: count }, (_, index) => {
          const path = `/patients/${index}/records?${'x'.repeat(8000)}`
          return targetOf(service, { method: 'GET', path, isUpgrade: false })
        }),
      )
      expect(bytes / count).to.be.lessThan(2000)
    })
  }

  const byMetadata = [
    {
      name: "Envoy's own routing names the service",
      metadata: { 'x-waypoint-service': chain(records), 'x-waypoint-authority': ['10.0.0.1:80'] },
      want: 'records',
    },
    {
      name: 'the address is not known, the name is',
      address: '10.7.7.7:80',
      metadata: { 'x-waypoint-service': chain(records) },
      want: 'records',
    },
    { name: 'no filter chain is named', metadata: {}, want: 'service_unknown' },
    {
      name: 'two filter chains are named',
      metadata: { 'x-waypoint-service': [...chain(records), ...chain(records)] },
      want: 'service_unknown',
    },
    {
      name: 'the chain leads straight to a pod',
      metadata: { 'x-waypoint-service': ['direct-http'] },
      want: 'service_unknown',
    },
    {
      name: 'the chain is of another direction',
      metadata: { 'x-waypoint-service': chain(records, 'outbound') },
      want: 'service_unknown',
    },
    {
      name: 'the chain names another port',
      metadata: { 'x-waypoint-service': [`inbound-vip|81|http|${records}`] },
      want: 'service_unknown',
    },
    {
      name: "the address is another service's",
      address: '10.0.0.2:80',
      metadata: { 'x-waypoint-service': chain(records) },
      want: 'service_unknown',
    },
    {
      name: 'authority and address differ',
      metadata: { 'x-waypoint-service': chain(records), 'x-waypoint-authority': ['10.0.0.9:80'] },
      want: 'service_unknown',
    },
    {
      name: 'the authority is repeated',
      metadata: {
        'x-waypoint-service': chain(records),
        'x-waypoint-authority': ['10.0.0.1:80', '10.0.0.1:80'],
      },
      want: 'service_unknown',
    },
  ]
  for (const { name, address = '10.0.0.1:80', metadata, want } of byMetadata) {
    it(`in metadata mode: ${name}`, () => {
      const target = findTarget(input({ address, metadata }), by('metadata'))
      expect(isDeny(target) ? target.code : target.service.name).to.equal(want)
    })
  }
})
