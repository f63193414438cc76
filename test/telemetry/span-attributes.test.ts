import { expect } from 'chai'
import {
  resourceAttributes,
  spanAttributes,
  spanAttributesVersion,
} from '../../src/telemetry/span-attributes.ts'
import { readDocument } from '../support/document.ts'

const page = readDocument('docs/traces.md')

describe('telemetry/span-attributes', () => {
  it('is the table of docs/traces.md, and each name stands once', () => {
    const named = page.rows.flatMap(([cell = '']) =>
      [...cell.matchAll(/`([a-z_]+(?:\.[a-z_]+)+)`/g)].map(([, name]) => name),
    )
    const ours = [...Object.values(spanAttributes), ...Object.values(resourceAttributes)]
    expect(named.toSorted()).to.deep.equal(ours.toSorted())
    expect(new Set(ours).size).to.equal(ours.length)
  })

  it('has the version that docs/traces.md says', () => {
    expect(page.spans).to.include(`version ${spanAttributesVersion}`)
  })
})
