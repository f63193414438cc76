import { expect } from 'chai'
import { type ReplicaView, replicaFindings, userKeyFindings } from '../../src/doctor/replicas.ts'
import { readJwks } from '../support/forge.ts'

const one: ReplicaView = {
  url: 'http://10.0.0.1:9192',
  readiness: { isReady: true, reasons: [], notices: [] },
  jwks: readJwks('chain'),
  clockAheadMs: 0,
}
const two: ReplicaView = { ...one, url: 'http://10.0.0.2:9192' }

const cases: readonly {
  readonly name: string
  readonly second: Partial<ReplicaView>
  readonly want: readonly string[]
}[] = [
  { name: 'two that agree', second: {}, want: [] },
  {
    name: 'one that does not answer',
    second: { readiness: undefined, jwks: undefined, clockAheadMs: undefined },
    want: ['error replica_unreachable'],
  },
  {
    name: 'one that is not ready',
    second: { readiness: { isReady: false, reasons: ['policies: refused'], notices: [] } },
    want: ['error replica_not_ready'],
  },
  {
    name: 'one that observes',
    second: { readiness: { isReady: true, reasons: [], notices: ['NOT ENFORCED until 2027-01-31'] } },
    want: ['warning replica_notice'],
  },
  { name: 'one without keys', second: { jwks: undefined }, want: ['error jwks_unreachable'] },
  { name: 'one with an empty key set', second: { jwks: '{"keys":[]}' }, want: ['error jwks_unreachable'] },
  { name: 'one with another key', second: { jwks: readJwks('stranger') }, want: ['error keys_differ'] },
  {
    name: 'one with another key of the same name',
    second: { jwks: readJwks('stranger').replace(/"kid": ?"[^"]*"/, '"kid":"chain-1"') },
    want: ['error keys_differ'],
  },
  { name: 'a clock 4 s ahead', second: { clockAheadMs: 4000 }, want: [] },
  { name: 'a clock 20 s behind', second: { clockAheadMs: -20_000 }, want: ['warning clock_skew'] },
  { name: 'a clock 40 s ahead', second: { clockAheadMs: 40_000 }, want: ['error clock_skew'] },
]

describe('doctor/replicas', () => {
  for (const { name, second, want } of cases) {
    it(`${name}: ${want.join(', ') || 'healthy'}`, () => {
      const findings = replicaFindings([one, { ...two, ...second }])
      expect(findings.map(({ severity, id }) => `${severity} ${id}`)).to.deep.equal(want)
    })
  }

  it('finds key sets of identity providers that are missing or broken', () => {
    const files = [
      { name: 'hospital', file: 'a.json', text: readJwks('hospital-idp') },
      {
        name: 'mixed',
        file: 'd.json',
        text: readJwks('hospital-idp').replace('[', '[{"kty":"oct","k":"AAAA"},'),
      },
      { name: 'absent', file: 'b.json', text: undefined },
      { name: 'broken', file: 'c.json', text: '{}' },
    ]
    expect(userKeyFindings(files).map(({ id, where }) => [id, where])).to.deep.equal([
      ['jwks_unreachable', 'b.json'],
      ['jwks_unreachable', 'c.json'],
    ])
  })
})
