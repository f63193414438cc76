import { expect } from 'chai'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { parseSituationArgs, type SituationArgs } from '../../src/explain/situation-args.ts'

const agent = 'spiffe://hospital.example/ns/billing/sa/agent-a'
const line: SituationArgs = { as: agent, method: 'GET', place: 'records:8080/patients/42' }

describe('explain/situation-args', () => {
  it('takes the service from before the first slash, and the path from there on', () => {
    const parsed = parseSituationArgs(line)
    expect(parsed).to.include({ service: 'records:8080', path: '/patients/42', subject: undefined })
  })

  it('takes for whom, through whom and with what scopes', () => {
    const parsed = parseSituationArgs({
      ...line,
      for: 'hospital/clerk:billing,night',
      via: [agent, agent],
      scope: ['a', 'b'],
    })
    if (isInvalid(parsed)) throw new TypeError(parsed.reason)
    expect(parsed.subject).to.deep.equal({
      issuerName: 'hospital',
      id: 'clerk',
      groups: ['billing', 'night'],
    })
    expect(parsed.actors.map(({ uri }) => uri)).to.deep.equal([agent, agent])
    expect(parsed.scopes).to.deep.equal(['a', 'b'])
    expect(parseSituationArgs({ ...line, as: 'ingress', for: 'hospital/clerk' })).to.deep.include({
      caller: 'ingress',
      subject: { issuerName: 'hospital', id: 'clerk', groups: [] },
    })
  })

  const refused: readonly { readonly name: string; readonly change: Partial<SituationArgs> }[] = [
    { name: 'no caller', change: { as: undefined } },
    { name: 'a caller that is no SPIFFE ID', change: { as: 'agent-a' } },
    { name: 'a user without an issuer', change: { for: 'clerk' } },
    { name: 'an actor that is no SPIFFE ID', change: { via: ['agent-a'] } },
    { name: 'a place without a path', change: { place: 'records' } },
    { name: 'a place without a service', change: { place: '/patients/42' } },
  ]
  for (const { name, change } of refused) {
    it(`refuses ${name}`, () => {
      expect(parseSituationArgs({ ...line, ...change })).to.include({ kind: 'invalid' })
    })
  }
})
