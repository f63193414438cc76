import { expect } from 'chai'
import { behindWaypoint } from '../support/cluster.ts'
import { mustParse, scaffold } from '../support/scaffolded.ts'

describe('authoring/scaffold, of ports without HTTP', () => {
  it('drafts a service of TCP ports behind a waypoint as one that takes connections', () => {
    const ports = [{ port: 5432, name: 'tcp-sql' }, { port: 53, protocol: 'UDP' }, { port: 3306 }]
    const yaml = scaffold([{ name: 'ledger', labels: behindWaypoint, spec: { ports } }])
    const [service] = mustParse(yaml).services
    expect(service).to.include({ name: 'ledger', isTcp: true })
    expect(service?.chainless).to.deep.equal([])
    expect(service?.addresses.map(({ port }) => port)).to.deep.equal([5432, 5432, 3306, 3306])
    expect(yaml).to.match(/# port 53 left out: no HTTP$/m)
  })

  it('says of a TCP port beside one of HTTP how its connections could be let in', () => {
    const ports = [
      { port: 80, name: 'http' },
      { port: 5432, name: 'tcp-sql' },
    ]
    const yaml = scaffold([{ name: 'both', labels: behindWaypoint, spec: { ports } }])
    expect(mustParse(yaml).services[0]).to.include({ isTcp: false })
    expect(yaml).to.match(/port 5432 .*entry of its own with `tcp: true`/)
  })
})
