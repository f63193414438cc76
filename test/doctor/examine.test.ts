import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { bySeverity, examineCluster } from '../../src/doctor/examine.ts'
import { findingIds } from '../../src/doctor/finding.ts'
import { countReads } from '../support/counted.ts'
import { examine } from '../support/examined.ts'
import { remove } from '../support/healthy-cluster.ts'
import { largeCluster } from '../support/large-cluster.ts'

describe('doctor/examine', () => {
  it('finds nothing wrong with a mesh that is set up as it should be', () => {
    expect(examine({})).to.deep.equal([])
  })

  it('says errors before warnings', () => {
    const findings = examine({
      mutate: (objects) =>
        remove('PeerAuthentication/billing/strict')(
          remove('AuthorizationPolicy/hospital/ask-waywarden')(objects),
        ),
    })
    expect(bySeverity(findings).map(({ severity }) => severity)).to.deep.equal(['error', 'warning'])
    expect(findings.map(({ severity }) => severity)).to.deep.equal(['warning', 'error'])
  })

  for (const { name, layout } of [
    {
      name: 'each with a namespace of its own',
      layout: { namespaceOf: (index: number) => `n${index}`, waypointOf: () => 'waypoint' },
    },
    {
      name: 'all in one namespace',
      layout: { namespaceOf: () => 'n', waypointOf: () => 'waypoint' },
    },
    {
      name: 'each with a waypoint of its own',
      layout: { namespaceOf: () => 'n', waypointOf: (index: number) => `w${index}` },
    },
  ]) {
    it(`looks at a cluster of twice as many services, ${name}, twice as often and no more`, () => {
      const [few = 0, many = 0] = [50, 100].map((count) => {
        const { cluster, catalog } = largeCluster(count, layout)
        const { value, reads } = countReads(cluster)
        const findings = examineCluster(value, undefined, catalog)
        return reads() + JSON.stringify(findings).length
      })
      expect(many).to.be.within(few, 2.5 * few)
    })

    it(`does so, ${name}, when the catalog has none of them`, () => {
      const [few = 0, many = 0] = [50, 100].map((count) => {
        const { cluster, catalog } = largeCluster(count, layout)
        const { value, reads } = countReads(cluster)
        const findings = examineCluster(value, undefined, { ...catalog, services: [] })
        return reads() + JSON.stringify(findings).length
      })
      expect(many).to.be.within(few, 2.5 * few)
    })
  }

  it('has a test that produces each finding', () => {
    const folder = 'test/doctor'
    const texts = readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`, 'utf8'))
    const text = texts.join('\n')
    expect(findingIds.filter((id) => !new RegExp(`['" ]${id}'`).test(text))).to.deep.equal([])
  })
})
