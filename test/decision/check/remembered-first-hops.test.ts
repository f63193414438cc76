import { expect } from 'chai'
import type { Caller } from '../../../src/base/model/caller.ts'
import type { Chain } from '../../../src/base/model/chain.ts'
import { counting, remembering } from '../../support/counted-judgements.ts'
import { caller, clerk, delegated, firstHop, hospital } from '../../support/identities.ts'

describe('decision/check/remembered, judgements of a first hop', () => {
  const who = caller(hospital.gateway, true)
  const begun = firstHop(clerk, ['a'])
  const same: readonly { name: string; chain: Chain }[] = [
    { name: 'the same user', chain: { ...begun, subject: { ...clerk } } },
    { name: 'a later token', chain: { ...begun, issuedAt: 1, expiresAt: 2, authTime: 1 } },
  ]
  const different: readonly { name: string; chain: Chain; who?: Caller; path?: string }[] = [
    { name: 'another user', chain: firstHop({ ...clerk, id: 'other' }, ['a']) },
    { name: 'a user of another provider', chain: firstHop({ ...clerk, issuerName: 'other' }, ['a']) },
    { name: 'other groups', chain: firstHop({ ...clerk, groups: [] }, ['a']) },
    { name: 'other scopes', chain: firstHop(clerk, ['a', 'b']) },
    { name: 'groups that do not count', chain: { ...begun, unlistedGroups: ['b'] } },
    { name: 'another gateway', chain: begun, who: caller(hospital.agentA, true) },
    { name: 'another path', chain: begun, path: '/patients/43' },
  ]
  for (const { name, chain: other } of same) {
    it(`asks the policies once for ${name}`, () => {
      const { asked, revision } = counting()
      const judge = remembering({ isEntry: true })
      judge(revision, { who, chain: begun })
      expect(judge(revision, { who, chain: other })).to.have.property('kind', 'permission')
      expect(asked).to.have.length(1)
    })
  }
  for (const { name, ...question } of different) {
    it(`judges anew for ${name}`, () => {
      const { asked, revision } = counting()
      const judge = remembering({ isEntry: true })
      judge(revision, { who, chain: begun })
      judge(revision, { who, ...question })
      expect(asked).to.have.length(2)
    })
  }

  it('never answers for a chain that goes on', () => {
    const { asked, revision } = counting()
    const judge = remembering({ isEntry: true })
    judge(revision, { who, chain: begun })
    judge(revision, { who, chain: delegated(clerk, [hospital.agentA], ['a']) })
    expect(asked.length).to.be.greaterThan(1)
  })
})
