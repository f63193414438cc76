import { expect } from 'chai'
import {
  formatPerCheckFields,
  isPlain,
  toPerCheckFields,
} from '../../../src/audit/format/per-check-fields.ts'
import { deniedParts } from '../../support/decision.ts'

describe('audit/format/per-check-fields', () => {
  const parts = deniedParts('decision-1')

  it('is what its JSON says', () => {
    for (const timeMs of [parts.timeMs, parts.timeMs, 0, parts.timeMs + 1]) {
      const perCheck = toPerCheckFields({ ...parts, timeMs })
      expect(perCheck.time).to.equal(new Date(timeMs).toISOString())
      expect(JSON.parse(`{${formatPerCheckFields(perCheck)}}`)).to.deep.equal(perCheck)
    }
  })

  it('has no trace where the request has none', () => {
    const perCheck = toPerCheckFields({ ...parts, input: undefined })
    expect(perCheck.traceId).to.equal(undefined)
    expect(JSON.parse(`{${formatPerCheckFields(perCheck)}}`)).not.to.have.property('traceId')
  })

  const ids = [
    { id: '0197f3b2-52a1-7c3e-9d0a-1d1b54a6e9e1', want: true },
    { id: 'replica.1:42', want: true },
    { id: '', want: false },
    { id: 'a"b', want: false },
    { id: 'a\\b', want: false },
    { id: 'a\n', want: false },
    { id: 'Ă', want: false },
    { id: 'a'.repeat(129), want: false },
  ]
  for (const { id, want } of ids) {
    it(`takes ${JSON.stringify(id)} ${want ? 'as it is' : 'for none that stands in JSON as it is'}`, () =>
      expect(isPlain(id)).to.equal(want))
  }
})
