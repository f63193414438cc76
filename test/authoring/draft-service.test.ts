import { expect } from 'chai'
import type { DecisionRecord } from '../../src/audit/format/record.ts'
import { createServiceDrafts, type UnknownService } from '../../src/authoring/draft-service.ts'
import { formatServiceDrafts } from '../../src/authoring/service-draft.ts'
import { type Catalog, parseCatalog } from '../../src/policy/catalog/catalog.ts'
import { asked, observed } from '../support/observed.ts'

const unknown = { code: 'service_unknown', target: undefined } as const
const orders = observed({ ...unknown, input: asked({}) })

describe('authoring/draft-service', () => {
  it('drafts an entry that parses, of what the requests showed', () => {
    const { services } = mustParse(draftsOf([orders, orders]))
    const [service] = services
    expect(service).to.include({ name: 'orders', isEntry: false })
    expect(service?.addresses.map(({ text }) => text)).to.deep.equal(['10.96.0.77:80'])
    expect(service?.spiffeId.path).to.equal('/ns/shop/sa/REPLACE-orders')
    expect(service?.waypoint.path).to.equal('/ns/hospital/sa/waypoint')
    expect(service?.routes?.map(({ route }) => route.text)).to.deep.equal(['GET /orders/{orderId}'])
  })

  it('drafts an entry to which users come by ingress', () => {
    const record = observed({ ...unknown, isIngress: true, input: asked({}) })
    expect(mustParse(draftsOf([record])).services[0]?.isEntry).to.equal(true)
  })

  it('drafts `tcp: true` where only connections were seen, and routes where requests were', () => {
    const connection = observed({ ...unknown, input: asked({ method: '', path: '', host: '' }) })
    const [tcp] = mustParse(draftsOf([connection, connection])).services
    expect(tcp).to.include({ name: 'service-10-96-0-77-80', isTcp: true })
    expect(tcp?.chainless).to.deep.equal([])
    const [both] = mustParse(draftsOf([connection, orders])).services
    expect(both?.isTcp).to.equal(false)
    expect(both?.routes?.map(({ route }) => route.text)).to.deep.equal(['GET /orders/{orderId}'])
  })

  it('drafts no route for a connection to a service that takes HTTP only', () => {
    const drafts = createServiceDrafts()
    drafts.add(
      observed({
        code: 'route_unknown',
        target: undefined,
        input: asked({ method: '', path: '', host: '' }),
      }),
    )
    expect(drafts.routes()).to.deep.equal([])
  })

  const odd: readonly {
    readonly name: string
    readonly input: Parameters<typeof asked>[0]
    readonly want: { readonly name: string; readonly address: string }
  }[] = [
    {
      name: 'an IP for a Host',
      input: { host: '10.96.0.77' },
      want: { name: 'service-10-96-0-77-80', address: '10.96.0.77:80' },
    },
    {
      name: 'no Host',
      input: { host: '' },
      want: { name: 'service-10-96-0-77-80', address: '10.96.0.77:80' },
    },
    {
      name: 'an IPv6 address',
      input: { destinationAddress: '[fd00::a]:80' },
      want: { name: 'orders', address: '[fd00::a]:80' },
    },
    {
      name: 'no address',
      input: { destinationAddress: '' },
      want: { name: 'orders', address: 'orders.shop.svc.cluster.local:80' },
    },
    {
      name: 'no address that a catalog takes',
      input: { destinationAddress: 'UNIX' },
      want: { name: 'orders', address: 'replace.invalid:80' },
    },
    {
      name: 'a Host that would write YAML of its own',
      input: { host: 'a: b\n# ', path: "/it's,{x}" },
      want: { name: 'a', address: '10.96.0.77:80' },
    },
  ]
  for (const { name, input, want } of odd) {
    it(`copes with ${name}`, () => {
      const [service, ...more] = mustParse(draftsOf([observed({ ...unknown, input: asked(input) })])).services
      expect(more).to.deep.equal([])
      expect({ name: service?.name, address: service?.addresses[0]?.text }).to.deep.equal(want)
    })
  }

  it('copes with a check that ended before its caller was known', () => {
    const record = observed({ ...unknown, input: asked({}), caller: undefined })
    expect(mustParse(draftsOf([record])).services).to.have.length(1)
  })

  it('gives every draft a name that nobody has', () => {
    const addresses = ['10.96.0.77:80', '10.96.0.78:80', '10.96.0.79:80']
    const records = addresses.map((destinationAddress) =>
      observed({ ...unknown, input: asked({ destinationAddress }) }),
    )
    const { services } = mustParse(draftsOf(records, new Set(['orders'])))
    expect(services.map(({ name }) => name)).to.deep.equal(['orders-80', 'orders-80-2', 'orders-80-3'])
  })

  it('collects routes that a known address lacks', () => {
    const drafts = createServiceDrafts()
    drafts.add(observed({ code: 'route_unknown', target: undefined, input: asked({ path: '/new/7' }) }))
    const [found] = drafts.routes()
    expect(found?.routes.map(({ match }) => match)).to.deep.equal(['GET /new/{newId}'])
    expect(drafts.services(new Set())).to.deep.equal([])
  })

  it('keeps the addresses that it may, and counts the others', () => {
    const drafts = createServiceDrafts()
    for (let index = 0; index < 502; index++) {
      drafts.add(observed({ ...unknown, input: asked({ destinationAddress: `10.0.0.1:${index}` }) }))
    }
    expect([drafts.services(new Set()).length, drafts.cut()]).to.deep.equal([500, 2])
  })
})

function draftsOf(
  records: readonly DecisionRecord[],
  taken: ReadonlySet<string> = new Set(),
): readonly UnknownService[] {
  const drafts = createServiceDrafts()
  for (const record of records) drafts.add(record)
  return drafts.services(taken)
}

function mustParse(found: readonly UnknownService[]): Catalog {
  const yaml = formatServiceDrafts(found.map(({ draft }) => draft)).join('\n')
  const catalog = parseCatalog(yaml)
  if ('services' in catalog) return catalog
  throw new TypeError(`${JSON.stringify(catalog)}\n${yaml}`)
}
