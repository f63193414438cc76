import { expect } from 'chai'
import { formatServiceDrafts, quote, type ServiceDraft } from '../../src/authoring/service-draft.ts'
import { parseCatalog } from '../../src/policy/catalog/catalog.ts'

const draft: ServiceDraft = {
  name: { value: 'records', note: 'guessed' },
  addresses: ['10.0.0.1:80', '[::1]:80', 'records.clinic.svc.cluster.local:80'],
  spiffeId: { value: 'spiffe://hospital.example/ns/clinic/sa/records' },
  waypoint: { value: 'spiffe://hospital.example/ns/clinic/sa/waypoint', note: 'seen' },
  entry: { value: true, note: 'users come here' },
  forwards: { value: false, note: 'true if it calls on' },
  routes: [
    { match: 'GET /patients/{patientId}', action: 'GET', count: 2 },
    { match: "POST /it's,odd", action: 'POST', count: 1 },
  ],
  notes: [`Host ${quote('a\nb: c')}`],
}

describe('authoring/service-draft', () => {
  it('writes what the catalog parser reads', () => {
    const catalog = parseCatalog(formatServiceDrafts([draft], ['a head']).join('\n'))
    const [service] = 'services' in catalog ? catalog.services : []
    expect(service).to.deep.include({
      name: 'records',
      isEntry: true,
      forwards: false,
    })
    expect(service?.addresses.map(({ text }) => text)).to.deep.equal(draft.addresses)
    expect(service?.routes?.map(({ route }) => route.text)).to.deep.equal(
      draft.routes.map(({ match }) => match),
    )
  })

  it('writes a catalog without services', () => {
    expect(parseCatalog(formatServiceDrafts([]).join('\n'))).to.deep.include({ services: [] })
  })

  const names = ['true', 'null', 'no', '7', '1e3', '10.5', '2027-01-31', 'a.b-c']
  for (const name of names) {
    it(`keeps the name \`${name}\` a text`, () => {
      const catalog = parseCatalog(formatServiceDrafts([{ ...draft, name: { value: name } }]).join('\n'))
      expect('byName' in catalog ? [...catalog.byName.keys()] : catalog).to.deep.equal([name])
    })
  }

  it('quotes the text of others on one line, whatever it holds', () => {
    expect(quote('a\r\n\u2028\u0085\u202eb')).to.match(/^"[\x20-\x7e]*"$/)
  })
})
