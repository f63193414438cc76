import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { bySeverity } from '../../../src/review/doctor/examine.ts'
import { findingIds } from '../../../src/review/doctor/finding.ts'
import { examine } from '../../support/examined.ts'
import { remove } from '../../support/healthy-cluster.ts'

describe('review/doctor/examine', () => {
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

  it('has a test that produces each finding', () => {
    const folder = 'test/review/doctor'
    const texts = readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`, 'utf8'))
    const text = texts.join('\n')
    expect(findingIds.filter((id) => !new RegExp(`['" ]${id}'`).test(text))).to.deep.equal([])
  })
})
