import { expect } from 'chai'
import type { Chain } from '../../../src/base/model/chain.ts'
import { checkRevoked, parseRevocations } from '../../../src/decision/chain/revocations.ts'
import { good, problemsOf, spiffeId } from '../../support/forge.ts'
import { caller, clerk, now, nowMs, uris } from '../../support/hospital.ts'

const { agentA, agentD, gateway } = uris
const delegated: Chain = {
  kind: 'delegated',
  subject: clerk.subject,
  actors: [spiffeId(agentA)],
  txn: 'txn-1',
  jti: 'jti-1',
  scopes: [],
  expiresAt: now + 300,
  rootIssuedAt: now - 100,
  ceiling: now + 3000,
  authTime: undefined,
  selfCalls: 0,
  isRecovered: false,
  digest: 'digest',
}
const none: Chain = { kind: 'none' }

describe('decision/chain/revocations', () => {
  const table: readonly {
    readonly name: string
    readonly entry: object
    readonly chain: Chain
    readonly calls: string
    readonly want: boolean
  }[] = [
    { name: 'the caller', entry: { actor: agentD }, chain: delegated, calls: agentD, want: true },
    { name: 'an actor before it', entry: { actor: agentA }, chain: delegated, calls: agentD, want: true },
    { name: 'the user', entry: { user: 'hospital/clerk' }, chain: delegated, calls: agentD, want: true },
    { name: 'the transaction', entry: { txn: 'txn-1' }, chain: delegated, calls: agentD, want: true },
    { name: 'the token', entry: { jti: 'jti-1' }, chain: delegated, calls: agentD, want: true },
    { name: 'somebody else', entry: { actor: uris.agentR }, chain: delegated, calls: agentD, want: false },
    {
      name: "another provider's user",
      entry: { user: 'partner/clerk' },
      chain: delegated,
      calls: agentD,
      want: false,
    },
    {
      name: 'a user of another provider',
      entry: { user: 'partner/clerk' },
      chain: { ...delegated, subject: { ...clerk.subject, issuerName: 'partner' } },
      calls: agentD,
      want: true,
    },
    {
      name: 'a user of another provider at the first hop',
      entry: { user: 'partner/clerk' },
      chain: { ...clerk, subject: { ...clerk.subject, issuerName: 'partner' } },
      calls: gateway,
      want: true,
    },
    {
      name: "another provider's user of the same name",
      entry: { user: 'hospital/clerk' },
      chain: { ...delegated, subject: { ...clerk.subject, issuerName: 'partner' } },
      calls: agentD,
      want: false,
    },
    {
      name: 'a user named like a transaction',
      entry: { txn: 'hospital/clerk' },
      chain: delegated,
      calls: agentD,
      want: false,
    },
    {
      name: 'what began before',
      entry: { actor: agentA, not_before: now - 99 },
      chain: delegated,
      calls: agentD,
      want: true,
    },
    {
      name: 'what began then',
      entry: { actor: agentA, not_before: now - 100 },
      chain: delegated,
      calls: agentD,
      want: false,
    },
    {
      name: 'the user at the first hop',
      entry: { user: 'hospital/clerk', not_before: now },
      chain: clerk,
      calls: gateway,
      want: true,
    },
    {
      name: 'a user with a newer token',
      entry: { user: 'hospital/clerk', not_before: now - 60 },
      chain: clerk,
      calls: gateway,
      want: false,
    },
    { name: 'the ingress peer', entry: { actor: gateway }, chain: clerk, calls: gateway, want: true },
    { name: 'an autonomous caller', entry: { actor: agentD }, chain: none, calls: agentD, want: true },
    {
      name: 'an autonomous caller until later',
      entry: { actor: agentD, not_before: now + 1 },
      chain: none,
      calls: agentD,
      want: true,
    },
    {
      name: 'an autonomous caller that came back',
      entry: { actor: agentD, not_before: now },
      chain: none,
      calls: agentD,
      want: false,
    },
  ]
  for (const { name, entry, chain, calls, want } of table) {
    it(`${want ? 'meets' : 'does not meet'} ${name}`, () => {
      const revocations = good(parseRevocations(JSON.stringify({ version: 1, entries: [entry] })))
      const refusal = checkRevoked(chain, caller(calls), revocations, nowMs)
      expect(refusal?.code).to.equal(want ? 'chain_revoked' : undefined)
    })
  }

  it('takes the stricter of two entries for one member', () => {
    const entries = [{ txn: 'txn-1' }, { txn: 'txn-1', not_before: 1 }]
    for (const ordered of [entries, entries.toReversed()]) {
      const revocations = good(parseRevocations(JSON.stringify({ version: 1, entries: ordered })))
      expect(checkRevoked(delegated, caller(agentD), revocations, nowMs)?.code).to.equal('chain_revoked')
    }
  })

  const refused = [
    { name: 'no JSON', text: '', problems: 1 },
    { name: 'a list', text: '[]', problems: 1 },
    { name: 'no version', text: '{"entries":[]}', problems: 1 },
    { name: 'an unknown key', text: '{"version":1,"entries":[],"x":1}', problems: 1 },
    { name: 'an entry for nobody', text: file({}), problems: 1 },
    { name: 'an entry for two', text: file({ txn: 'a', jti: 'b' }), problems: 1 },
    { name: 'a misspelt key', text: file({ txn: 'a', notBefore: 1 }), problems: 1 },
    { name: 'an actor that is no SPIFFE ID', text: file({ actor: 'agent-d' }), problems: 1 },
    { name: 'a user without issuer', text: file({ user: 'clerk' }), problems: 1 },
    { name: 'milliseconds', text: file({ txn: 'a', not_before: nowMs }), problems: 1 },
    { name: 'a date', text: file({ txn: 'a', not_before: '2026-11-24' }), problems: 1 },
    { name: 'several problems at once', text: file({}, { txn: 'a' }, { actor: '' }), problems: 2 },
  ]
  for (const { name, text, problems } of refused) {
    it(`refuses a file with ${name}`, () => {
      expect(problemsOf(parseRevocations(text))).to.have.length(problems)
    })
  }
})

function file(...entries: readonly object[]): string {
  return JSON.stringify({ version: 1, entries })
}
