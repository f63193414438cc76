import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import { methods } from '../../../src/policy/catalog/route.ts'
import { targetOf } from '../../../src/policy/catalog/target.ts'
import { by, catalog, connectionInput, findTarget, input } from '../../support/asked-target.ts'
import { measureHeap } from '../../support/memory.ts'

describe('policy/catalog/target', () => {
  const found = [
    {
      name: 'the service by its address, whatever Host says',
      request: {},
      want: 'records read-it Patient::42',
    },
    {
      name: 'the service by its address in another spelling',
      request: { address: '[::FFFF:10.0.0.1]:080' },
      want: 'records read-it Patient::42',
    },
    {
      name: 'brackets in a path, as they are written',
      request: { path: '/patients/a[0]' },
      want: 'records read-it Patient::a[0]',
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
    {
      name: 'an upgrade over HTTP/2 where the route says `stream`',
      request: { path: '/live', headers: { ':protocol': 'websocket' } },
      want: 'records read-it Service::records',
    },
    {
      name: 'a trailing slash that the route itself has',
      request: { path: '/folder/' },
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

  it('finds the one action of a service that takes connections', () => {
    const target = findTarget(connectionInput('10.0.0.5:5432'), by('principal'))
    if (isDeny(target)) throw new TypeError(target.reason)
    const { service, ...asked } = target
    expect(service.name).to.equal('ledger')
    expect(asked).to.deep.equal({
      action: { type: 'Action', id: 'connect' },
      resource: { type: 'Service', id: 'ledger' },
      params: [],
      requiredScope: undefined,
      method: '',
      path: '',
    })
  })

  for (const address of ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']) {
    it(`takes no connection for a request to ${address}, whose service takes HTTP`, () => {
      expect(findTarget(connectionInput(address), by('principal'))).to.include({ code: 'route_unknown' })
    })
  }

  for (const method of [...methods, 'CONNECT', 'connect', 'PRI']) {
    for (const headers of [{}, { upgrade: 'tcp' }, { ':protocol': 'connect-udp' }]) {
      it(`takes no HTTP request for a connection: ${method} ${JSON.stringify(headers)}`, () => {
        const asked = { address: '10.0.0.5:5432', path: '/', method, headers }
        expect(findTarget(input(asked), by('principal'))).to.include({ code: 'route_unknown' })
      })
    }
  }

  const refused = [
    {
      name: 'an address that belongs to nobody',
      request: { address: '10.9.9.9:80' },
      want: 'service_unknown',
    },
    { name: 'another port of a known address', request: { address: '10.0.0.1:81' }, want: 'service_unknown' },
    { name: 'no address', request: { address: '' }, want: 'service_unknown' },
    { name: 'an address with an odd zero', request: { address: '010.0.0.1:80' }, want: 'service_unknown' },
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
      name: 'a method in the query',
      request: { path: '/patients/42?_method=DELETE' },
      want: 'path_ambiguous',
    },
    {
      name: 'a method in the query of a service without routes',
      request: { address: '10.0.0.2:80', method: 'POST', path: '/x?a=1&%5fMethod=DELETE' },
      want: 'path_ambiguous',
    },
    {
      name: 'a method in the query where odd paths are taken',
      request: { address: '10.0.0.3:80', method: 'POST', path: '/a//b?X-HTTP-Method-Override=DELETE' },
      want: 'path_ambiguous',
    },
    {
      name: 'an ambiguous path of a service without routes',
      request: { address: '10.0.0.2:80', path: '/a%2fb' },
      want: 'path_ambiguous',
    },
    ...[{ upgrade: 'websocket' }, { ':protocol': 'websocket' }, { ':protocol': 'connect-udp' }].flatMap(
      (headers) => [
        {
          name: `an upgrade on a route that does not stream: ${JSON.stringify(headers)}`,
          request: { headers },
          want: 'route_unknown',
        },
        {
          name: `an upgrade where there are no routes: ${JSON.stringify(headers)}`,
          request: { address: '10.0.0.2:80', headers },
          want: 'route_unknown',
        },
        {
          name: `an upgrade where odd paths are taken: ${JSON.stringify(headers)}`,
          request: { address: '10.0.0.3:80', headers },
          want: 'route_unknown',
        },
      ],
    ),
    {
      name: 'a trailing slash behind a parameter',
      request: { path: '/patients/42/' },
      want: 'route_unknown',
    },
    {
      name: 'a trailing slash that only a wider route takes',
      request: { path: '/files/a/' },
      want: 'path_ambiguous',
    },
    {
      name: 'a trailing slash at the root of a wider route',
      request: { path: '/files/' },
      want: 'path_ambiguous',
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
})
