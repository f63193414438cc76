import { expect } from 'chai'
import { type ProbeAnswer, type ProbeView, probeFindings } from '../../src/doctor/probe.ts'

const denied = (code: string, decisionId = 'd-1'): ProbeAnswer => ({
  status: 403,
  decisionId,
  contentType: 'application/problem+json',
  body: JSON.stringify({ code, decisionId }),
})
const allowed: ProbeAnswer = { status: 200, decisionId: 'd-2', contentType: 'text/plain', body: 'ok' }
const bare: ProbeAnswer = { status: 200, decisionId: undefined, contentType: 'text/plain', body: 'ok' }
const view: ProbeView = {
  url: 'http://patient-records:8080/',
  honest: denied('chain_missing'),
  forged: [denied('chain_missing', 'd-3'), denied('chain_missing', 'd-4')],
  lying: [denied('chain_missing', 'd-5')],
}

const cases: readonly {
  readonly name: string
  readonly change: Partial<ProbeView>
  readonly want: readonly string[]
}[] = [
  { name: 'lies that change nothing', change: {}, want: [] },
  {
    name: 'a caller that may come without a chain',
    change: { honest: allowed, forged: [allowed, allowed], lying: [allowed] },
    want: [],
  },
  { name: 'no answer', change: { honest: undefined }, want: ['probe_failed'] },
  { name: 'no answer to a lie', change: { lying: [undefined] }, want: ['probe_failed'] },
  { name: 'an answer without a decision', change: { honest: bare }, want: ['probe_unguarded'] },
  {
    name: 'a problem of somebody else',
    change: { honest: { ...denied('x'), body: '{"decisionId":"another"}' } },
    want: ['probe_unguarded'],
  },
  {
    name: 'a problem that is no JSON',
    change: { honest: { ...denied('x'), body: 'no' } },
    want: ['probe_unguarded'],
  },
  {
    name: 'a refusal of the waypoint itself',
    change: { honest: { ...bare, status: 403, body: '' } },
    want: ['probe_not_answered'],
  },
  {
    name: 'a refusal of the waypoint whose provider is missing',
    change: { honest: { ...bare, status: 403, body: 'RBAC: access denied' } },
    want: ['probe_not_answered'],
  },
  {
    name: 'a refusal of the service itself',
    change: { honest: { ...bare, status: 403, body: 'not yours' } },
    want: ['probe_unguarded'],
  },
  {
    name: 'a caller whom nobody knows',
    change: {
      honest: denied('peer_missing'),
      forged: [denied('peer_missing'), denied('peer_missing')],
      lying: [denied('peer_missing')],
    },
    want: ['probe_identity'],
  },
  {
    name: 'a forged caller who is believed',
    change: { forged: [denied('token_missing'), denied('chain_missing')] },
    want: ['probe_header_believed'],
  },
  {
    name: 'a broken header that arrives',
    change: { forged: [denied('chain_missing'), denied('peer_malformed')] },
    want: ['probe_header_believed'],
  },
  {
    name: 'a forged caller who is let in',
    change: { forged: [allowed, denied('chain_missing')] },
    want: ['probe_header_believed'],
  },
  {
    name: 'a Host that decides',
    change: { lying: [denied('service_unknown')] },
    want: ['probe_host_believed'],
  },
  { name: 'a Host that leads around Waywarden', change: { lying: [bare] }, want: ['probe_host_believed'] },
]

describe('doctor/probe', () => {
  for (const { name, change, want } of cases) {
    it(`${name}: ${want.join(', ') || 'healthy'}`, () => {
      expect(probeFindings({ ...view, ...change }).map(({ id }) => id)).to.deep.equal(want)
    })
  }
})
