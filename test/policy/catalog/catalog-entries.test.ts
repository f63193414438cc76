import { expect } from 'chai'
import { formatProblem } from '../../../src/base/document/problem.ts'
import { type Catalog, parseCatalog, serviceAt } from '../../../src/policy/catalog/catalog.ts'
import { waypoint, workload } from '../../support/policy-files.ts'

const others = [workload('agent-a'), workload('agent-b')]
const elsewhere = workload('other-waypoint')

/** Services of services.yaml, each with its keys beside those that it must have. */
function catalogOf(services: readonly object[], hopLifetimeMs?: number): Catalog {
  const entries = services.map((keys, index) => ({
    name: `service-${index}`,
    addresses: [`10.0.0.${index}:80`],
    spiffeId: workload(`service-${index}`),
    waypoint,
    ...keys,
  }))
  const catalog = parseCatalog(JSON.stringify({ services: entries }), hopLifetimeMs)
  if ('services' in catalog) return catalog
  throw new TypeError(catalog.problems.map(formatProblem).join('\n'))
}

describe('policy/catalog/catalog, what an entry says', () => {
  const routes = [{ match: 'GET /a', action: 'read-it' }]
  const keys = [
    { name: 'a chain may begin at it', keys: { entry: true }, of: 'isEntry', want: true, absent: false },
    {
      name: 'a chain may begin at it, with options',
      keys: { entry: {} },
      of: 'isEntry',
      want: true,
      absent: false,
    },
    {
      name: 'a chain may begin at it, with options, and the token of the user goes',
      keys: { entry: {} },
      of: 'keepsUserToken',
      want: false,
      absent: false,
    },
    {
      name: 'it keeps the token of the user',
      keys: { entry: { forwardAuthorization: true } },
      of: 'keepsUserToken',
      want: true,
      absent: false,
    },
    { name: 'it calls onward', keys: { forwards: true }, of: 'forwards', want: true, absent: false },
    {
      name: 'how long a hop to it lasts',
      keys: { hopLifetime: '90s' },
      of: 'hopLifetimeSeconds',
      want: 90,
      absent: 45,
    },
    {
      name: 'a hop to it lasts longer than others do',
      keys: { hopLifetime: '10m' },
      of: 'hopLifetimeSeconds',
      want: 600,
      absent: 45,
    },
    {
      name: 'which scopes reach it',
      keys: { scopes: ['records:read', 'bills:read'] },
      of: 'scopes',
      want: ['records:read', 'bills:read'],
      absent: undefined,
    },
    { name: 'no scope reaches it', keys: { scopes: [] }, of: 'scopes', want: [], absent: undefined },
    { name: 'it takes connections', keys: { tcp: true }, of: 'isTcp', want: true, absent: false },
    { name: 'odd paths are taken', keys: { rawPaths: true }, of: 'hasRawPaths', want: true, absent: false },
    {
      name: 'it tells cases apart',
      keys: { caseSensitive: true, routes },
      of: 'isCaseSensitive',
      want: true,
      absent: false,
    },
    {
      name: 'which headers never reach it',
      keys: { removeHeaders: ['x-tenant', 'x-role'] },
      of: 'removeHeaders',
      want: ['x-tenant', 'x-role'],
      absent: [],
    },
    { name: 'whose it is', keys: { owner: 'team' }, of: 'owner', want: 'team', absent: undefined },
    { name: 'why it is not alone', keys: { shared: 'why' }, of: 'shared', want: 'why', absent: undefined },
  ] as const
  for (const { name, keys: written, of, want, absent } of keys) {
    it(`counts for this service and for no other: ${name}`, () => {
      for (const services of [
        [written, {}],
        [{}, written],
      ]) {
        const found = catalogOf(services, 45_000).services.map((service) => service[of])
        expect(found).to.deep.equal(services.map((keys) => (keys === written ? want : absent)))
      }
    })
  }

  it('counts for this service and for no other: who may come without a chain', () => {
    const { services } = catalogOf([{ chainless: others }, {}])
    expect(services.map(({ chainless }) => chainless.map(({ uri }) => uri))).to.deep.equal([others, []])
  })

  it('lets a hop last five minutes, and whole seconds, if nothing else is said', () => {
    const lifetime = (ms?: number) => catalogOf([{}], ms).services[0]?.hopLifetimeSeconds
    expect([lifetime(), lifetime(1999)]).to.deep.equal([300, 1])
  })

  it('counts for this route and for no other', () => {
    const { services } = catalogOf([
      {
        routes: [
          { match: 'GET /a', action: 'read-it' },
          { match: 'GET /b', action: 'read-it', scope: 'records:read' },
          { match: 'GET /c', action: 'watch-it', stream: true },
          { match: 'GET /d/{id}', action: 'read-it', resource: 'Patient::{id}' },
        ],
      },
      {},
    ])
    const [first, second] = services
    const found = first?.routes?.map(({ action, requiredScope, isStream, resource }) => [
      `${action.type} ${action.id}`,
      requiredScope,
      isStream,
      resource?.type,
    ])
    expect(found).to.deep.equal([
      ['Action read-it', undefined, false, undefined],
      ['Action read-it', 'records:read', false, undefined],
      ['Action watch-it', undefined, true, undefined],
      ['Action read-it', undefined, false, 'Patient'],
    ])
    expect(second?.routes).to.equal(undefined)
  })
})

describe('policy/catalog/catalog, what finds a service', () => {
  const addresses = ['10.0.1.1:80', 'records.test.svc.cluster.local:80', '[fd00::a]:443']
  const catalog = catalogOf([{ addresses }, { waypoint: elsewhere }])

  it('is every address that it has', () => {
    const found = [...addresses, '10.0.0.1:80'].map((address) => serviceAt(catalog, address)?.name)
    expect(found).to.deep.equal(['service-0', 'service-0', 'service-0', 'service-1'])
  })

  it('is its name', () => {
    const found = ['service-0', 'service-1', 'service-2'].map(
      (name) => catalog.byName.get(name)?.spiffeId.uri,
    )
    expect(found).to.deep.equal([workload('service-0'), workload('service-1'), undefined])
  })

  it('is neither another port nor a part of an address', () => {
    const found = ['10.0.1.1:81', '10.0.1.1', 'records.test:80', ''].map((text) => serviceAt(catalog, text))
    expect(found).to.deep.equal([undefined, undefined, undefined, undefined])
  })

  it('has a waypoint that is known for one, whichever service it stands before', () => {
    expect([...catalog.waypoints]).to.have.members([waypoint, elsewhere])
  })
})
