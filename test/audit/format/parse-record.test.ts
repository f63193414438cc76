import { expect } from 'chai'
import { parseRecord, toCaller, toChain } from '../../../src/audit/format/parse-record.ts'
import { formatRecord } from '../../../src/audit/format/record.ts'
import { toRecord } from '../../../src/audit/format/to-record.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { clerkChain, deniedParts } from '../../support/decision.ts'

describe('audit/format/parse-record', () => {
  const line = formatRecord(toRecord(deniedParts()))

  it('ignores fields of a newer Waywarden', () => {
    const newer = { ...JSON.parse(line), mcp: { tool: 'x' } }
    expect(parseRecord(JSON.stringify(newer))).to.deep.equal(parseRecord(line))
  })

  const refused = [
    { name: 'another version', input: edited({ version: 2 }) },
    { name: 'a version that is a string', input: edited({ version: '1' }) },
    { name: 'another kind of record', input: edited({ kind: 'checkpoint' }) },
    { name: 'an unknown code', input: edited({ code: 'because' }) },
    { name: 'a missing decision id', input: edited({ decisionId: undefined }) },
    { name: 'a torn line', input: line.slice(0, 200) },
    { name: 'an array', input: '[]' },
    { name: 'null', input: 'null' },
    { name: 'nothing', input: '' },
  ]
  for (const { name, input } of refused) {
    it(`refuses ${name}`, () => expect(isInvalid(parseRecord(input))).to.equal(true))
  }

  for (const { name, change, recorded } of [
    { name: 'that was never found again and has no self-calls', change: {}, recorded: {} },
    { name: 'that was found again', change: { isRecovered: true }, recorded: { recovered: true } },
    { name: 'with self-calls', change: { selfCalls: 3 }, recorded: { self: 3 } },
  ]) {
    it(`gives back the chain ${name}, with no field for what has not happened`, () => {
      const chain = { ...clerkChain, ...change }
      const text = formatRecord(toRecord({ ...deniedParts(), chain }))
      const { self, recovered } = JSON.parse(text).chain
      expect(JSON.parse(JSON.stringify({ self, recovered }))).to.deep.equal(recorded)
      const record = parseRecord(text)
      expect(isInvalid(record) ? record : toChain(record)).to.deep.include(chain)
    })
  }

  it('refuses an edited record whose caller or actor is no SPIFFE ID', () => {
    const caller = parseRecord(edited({ caller: { ...JSON.parse(line).caller, id: 'spiffe://a/../b' } }))
    const actor = parseRecord(
      edited({ chain: { ...JSON.parse(line).chain, actors: [{ id: 'x', proven: 'inherited' }] } }),
    )
    expect(!isInvalid(caller) && isInvalid(toCaller(caller))).to.equal(true)
    expect(!isInvalid(actor) && isInvalid(toChain(actor))).to.equal(true)
  })

  function edited(changes: Readonly<Record<string, unknown>>): string {
    return JSON.stringify({ ...JSON.parse(line), ...changes })
  }
})
