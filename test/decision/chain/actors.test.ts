import { expect } from 'chai'
import type { DelegatedChain } from '../../../src/base/model/chain.ts'
import { actorsWith, selfCallsWith } from '../../../src/decision/chain/actors.ts'
import { spiffeId } from '../../support/forge.ts'
import { caller, clerk, uris } from '../../support/hospital.ts'

const { agentA, agentD, agentR, gateway } = uris

describe('decision/chain/actors', () => {
  const table = [
    {
      name: 'puts the caller before who acted before',
      acted: [agentA],
      calls: agentD,
      want: [agentD, agentA],
    },
    {
      name: 'does not record the latest actor twice',
      acted: [agentD, agentA],
      calls: agentD,
      want: [agentD, agentA],
    },
    {
      name: 'records an actor again that returns later',
      acted: [agentR, agentD],
      calls: agentD,
      want: [agentD, agentR, agentD],
    },
    { name: 'begins with the caller', acted: [], calls: agentA, want: [agentA] },
  ]
  for (const { name, acted, calls, want } of table) {
    it(name, () => {
      expect(actorsWith(chain(acted), caller(calls)).map(({ uri }) => uri)).to.deep.equal(want)
    })
  }

  const selfCalls = [
    {
      name: 'counts the call of the latest actor to itself',
      acted: [agentD, agentA],
      calls: agentD,
      to: agentD,
      want: 3,
    },
    {
      name: 'does not count a call to itself that adds an actor',
      acted: [agentA],
      calls: agentD,
      to: agentD,
      want: 2,
    },
    {
      name: 'does not count its call to another, after which the next one adds an actor',
      acted: [agentD, agentA],
      calls: agentD,
      to: agentR,
      want: 2,
    },
    {
      name: 'does not count a call to itself of one that acted earlier',
      acted: [agentR, agentD],
      calls: agentD,
      to: agentD,
      want: 2,
    },
  ]
  for (const { name, acted, calls, to, want } of selfCalls) {
    it(name, () => {
      const presented = { ...chain(acted), selfCalls: 2 }
      expect(selfCallsWith(presented, caller(calls), { spiffeId: spiffeId(to) })).to.equal(want)
    })
  }

  it('counts no call before the chain begins', () => {
    for (const presented of [clerk, { kind: 'none' } as const])
      expect(selfCallsWith(presented, caller(agentA), { spiffeId: spiffeId(agentA) })).to.equal(0)
  })

  it('records no ingress peer', () => {
    expect(actorsWith(clerk, caller(gateway))).to.deep.equal([])
  })

  it('has the caller alone act when there is no chain', () => {
    expect(actorsWith({ kind: 'none' }, caller(agentA)).map(({ uri }) => uri)).to.deep.equal([agentA])
  })
})

function chain(acted: readonly string[]): DelegatedChain {
  return {
    kind: 'delegated',
    subject: clerk.subject,
    actors: acted.map(spiffeId),
    txn: 't',
    jti: 'j',
    scopes: [],
    expiresAt: 2,
    rootIssuedAt: 1,
    ceiling: 2,
    authTime: undefined,
    selfCalls: 0,
    isRecovered: false,
    digest: 'd',
  }
}
