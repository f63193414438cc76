import { expect } from 'chai'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { parseSituationArgs, type SituationArgs } from '../../src/explain/situation-args.ts'

const agent = 'spiffe://hospital.example/ns/billing/sa/agent-a'
const line: SituationArgs = { as: agent, method: 'GET', place: 'records:8080/patients/42' }

const connection = { method: 'connect', place: 'ledger' }

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

  it('takes a connection without HTTP by the name of its action', () => {
    const parsed = parseSituationArgs({ as: agent, method: 'connect', place: 'ledger:5432' })
    expect(parsed).to.include({ service: 'ledger:5432', method: '', path: '', subject: undefined })
  })

  const refused: readonly { readonly name: string; readonly change: Partial<SituationArgs> }[] = [
    { name: 'no caller', change: { as: undefined } },
    { name: 'a caller that is no SPIFFE ID', change: { as: 'agent-a' } },
    { name: 'a user without an issuer', change: { for: 'clerk' } },
    { name: 'an actor that is no SPIFFE ID', change: { via: ['agent-a'] } },
    { name: 'a place without a path', change: { place: 'records' } },
    { name: 'no method, which would be a connection', change: { method: '' } },
    { name: 'a connection with a path', change: { method: 'connect' } },
    { name: 'a connection of `ingress`', change: { ...connection, as: 'ingress' } },
    { name: 'a connection for a user', change: { ...connection, for: 'hospital/clerk' } },
    { name: 'a connection with an actor before', change: { ...connection, via: [agent] } },
    { name: 'a connection with a scope', change: { ...connection, scope: ['a'] } },
    { name: 'a place without a service', change: { place: '/patients/42' } },
  ]
  for (const { name, change } of refused) {
    it(`refuses ${name}`, () => {
      expect(parseSituationArgs({ ...line, ...change })).to.include({ kind: 'invalid' })
    })
  }
})
