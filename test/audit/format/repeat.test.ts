import { expect } from 'chai'
import { leafHash } from '../../../src/audit/format/merkle.ts'
import { toPerCheckFields } from '../../../src/audit/format/per-check-fields.ts'
import {
  expandRepeat,
  formatRepeat,
  ownStart,
  parseRepeat,
  repeatStart,
  startRepeat,
} from '../../../src/audit/format/repeat.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { deniedParts } from '../../support/decision.ts'

describe('audit/format/repeat', () => {
  const parts = deniedParts('decision-2')
  const line = formatRepeat(
    startRepeat('decision-1', leafHash(Buffer.from('whole'))),
    toPerCheckFields(parts),
  )

  it('comes back as it was written', () => {
    expect(parseRepeat(line)).to.deep.equal({
      version: 2,
      kind: 'repeat',
      of: 'decision-1',
      leaf: 'PfV7hBRwa3couHtOq80FgUZqytX4f+6FF47ZhbB+q24=',
      decisionId: 'decision-2',
      time: '2026-09-21T14:14:20.123Z',
      durationMicros: 412,
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    })
  })

  it('says where what is its own begins', () => {
    expect(line.startsWith(repeatStart)).to.equal(true)
    const own = line.slice(ownStart(line.indexOf('"', repeatStart.length)))
    expect(own.startsWith('"decisionId":"decision-2"')).to.equal(true)
  })

  it('stands for the whole record', () => {
    const repeat = parseRepeat(line)
    if (isInvalid(repeat)) throw new Error(repeat.reason)
    expect(expandRepeat(toRecord(deniedParts('decision-1')), repeat)).to.deep.equal(toRecord(parts))
    expect(expandRepeat(toRecord(parts), { ...repeat, traceId: undefined }).traceId).to.equal(undefined)
  })

  const refused = [
    { name: 'no JSON', text: 'hello' },
    { name: 'another version', text: line.replace('"version":2', '"version":3') },
    { name: 'another kind', text: line.replace('repeat', 'record') },
    { name: 'a time that is none', text: line.replace('2026-', '') },
    { name: 'nothing to repeat', text: line.replace('"of"', '"off"') },
  ]
  for (const { name, text } of refused) {
    it(`refuses ${name}`, () => expect(isInvalid(parseRepeat(text))).to.equal(true))
  }
})
