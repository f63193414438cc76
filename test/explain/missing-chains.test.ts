import { expect } from 'chai'
import type { DecisionRecord } from '../../src/audit/format/record.ts'
import { type ChainGap, createMissingChains } from '../../src/explain/missing-chains.ts'
import { hospitalId, recordTarget } from '../support/decision.ts'
import { clerk } from '../support/hospital.ts'
import { observed } from '../support/observed.ts'

const startMs = 1_790_000_000_000
const agentD = '/ns/billing/sa/agent-d'
const towardsD = {
  ...recordTarget,
  service: { ...recordTarget.service, name: 'insurance-agent', spiffeId: hospitalId(agentD), forwards: true },
}
const onward = { jti: 'jti-child', txn: 'txn-1', kid: 'chain-1' }
const without = { chain: { kind: 'none' }, code: 'chain_missing' } as const

const handed = observed({ from: '/ns/billing/sa/agent-a', target: towardsD, onward, timeMs: startMs })
const bareToD = observed({ ...without, from: '/ns/billing/sa/agent-a', target: towardsD, timeMs: startMs })
const unminted = observed({ from: '/ns/billing/sa/agent-a', target: towardsD, timeMs: startMs })
const missing = observed({ ...without, timeMs: startMs + 1000 })

describe('explain/missing-chains', () => {
  const cases: readonly {
    readonly name: string
    readonly records: readonly DecisionRecord[]
    readonly want: ChainGap['kind']
  }[] = [
    {
      name: 'an agent that was handed a chain and called without',
      records: [handed, missing],
      want: 'drops',
    },
    { name: 'the same when another replica’s log comes first', records: [missing, handed], want: 'drops' },
    {
      name: 'an agent that was handed a chain only later',
      records: [missing, { ...handed, time: new Date(startMs + 5000).toISOString() }],
      want: 'unseen',
    },
    {
      name: 'an agent that chains reach though none is minted for it',
      records: [unminted, missing],
      want: 'not-given',
    },
    { name: 'an agent whose callers bring no chain', records: [bareToD, missing], want: 'starved' },
    { name: 'an agent that nobody called', records: [missing], want: 'unseen' },
    {
      name: 'an ingress that brings a user to a service that is no entry',
      records: [
        observed({
          code: 'chain_missing',
          chain: clerk,
          from: '/ns/istio-ingress/sa/gateway',
          isIngress: true,
        }),
      ],
      want: 'no-entry',
    },
  ]
  for (const { name, records, want } of cases) {
    it(`recognizes ${name}`, () => {
      const [gap] = gapsOf(records)
      expect(gap?.kind).to.equal(want)
    })
  }

  it('tells whom it called how often, and when it was handed a chain', () => {
    const [gap] = gapsOf([handed, missing, missing])
    expect(gap).to.deep.include({ agent: hospitalId(agentD).uri, services: ['patient-records'] })
    expect(gap?.calls.count).to.equal(2)
    expect(gap?.received?.first).to.equal(handed.time)
  })

  it('finds nothing in calls that came with a chain, or are not counted as denied', () => {
    expect(gapsOf([handed, observed({ code: 'policy_denied' })])).to.deep.equal([])
    const forwarding = createMissingChains()
    forwarding.add({ ...missing, outcome: 'deny' }, false)
    expect(forwarding.gaps()).to.deep.equal([])
  })
})

/** Of agent D and the gateway; A's own calls without a chain are somebody else's. */
function gapsOf(records: readonly DecisionRecord[]): readonly ChainGap[] {
  const forwarding = createMissingChains()
  for (const record of records) forwarding.add(record, record.outcome === 'observed')
  return forwarding.gaps().filter(({ agent }) => !agent.endsWith('/agent-a'))
}
