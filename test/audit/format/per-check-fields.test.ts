import { expect } from 'chai'
import { formatVarying, isPlain, toVarying } from '../../../src/audit/format/per-check-fields.ts'
import { deniedParts } from '../../support/decision.ts'

describe('audit/format/per-check-fields', () => {
  const parts = deniedParts('decision-1')

  it('is what its JSON says', () => {
    for (const timeMs of [parts.timeMs, parts.timeMs, 0, parts.timeMs + 1]) {
      const varying = toVarying({ ...parts, timeMs })
      expect(varying.time).to.equal(new Date(timeMs).toISOString())
      expect(JSON.parse(`{${formatVarying(varying)}}`)).to.deep.equal(varying)
    }
  })

  it('has no trace where the request has none', () => {
    const varying = toVarying({ ...parts, input: undefined })
    expect(varying.traceId).to.equal(undefined)
    expect(JSON.parse(`{${formatVarying(varying)}}`)).not.to.have.property('traceId')
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
