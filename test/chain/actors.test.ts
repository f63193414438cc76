import { expect } from 'chai'
import { actorsWith } from '../../src/chain/actors.ts'
import type { DelegatedChain } from '../../src/model/chain.ts'
import { spiffeId } from '../support/forge.ts'
import { caller, clerk, uris } from '../support/hospital.ts'

const { agentA, agentD, agentR, gateway } = uris

describe('chain/actors', () => {
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
    isRecovered: false,
    digest: 'd',
  }
}
