import { expect } from 'chai'
import type { Caller } from '../../../src/base/model/caller.ts'
import type { DelegatedChain, FirstHop, Subject } from '../../../src/base/model/chain.ts'
import { keyOfCaller, keyOfChain, keyOfFirstHop, keyOfRequest } from '../../../src/decision/check/keys.ts'
import { caller, clerk, delegated, firstHop, hospital } from '../../support/identities.ts'

// Each field has another value here, or the compiler complains. Each field that a key omits is listed with the reason.

describe('decision/check/keys, of a caller', () => {
  const one: Caller = caller(hospital.agentD)
  const changes: { readonly [field in keyof Caller]: Caller[field] } = {
    id: hospital.agentA,
    provenBy: 'metadata',
    waypoint: hospital.gateway,
    isIngress: true,
  }
  for (const [field, value] of Object.entries(changes)) {
    it(`differs by ${field}`, () => {
      expect(keyOfCaller({ ...one, [field]: value })).to.not.equal(keyOfCaller(one))
    })
  }

  it('is the same for an equal caller', () => {
    expect(keyOfCaller({ ...one, id: { ...one.id } })).to.equal(keyOfCaller(one))
  })
})

describe('decision/check/keys, of a chain', () => {
  const chain: DelegatedChain = delegated(clerk, [hospital.agentA], ['a'])
  /** `token`: a claim, and so in the digest. Two chains of one digest cannot differ in it. */
  const changes: { readonly [field in keyof DelegatedChain]: DelegatedChain[field] | 'token' } = {
    kind: 'delegated',
    digest: 'another',
    isRecovered: true,
    subject: { ...clerk, issuerName: 'renamed' },
    actors: 'token',
    selfCalls: 'token' as const,
    txn: 'token',
    jti: 'token',
    scopes: 'token',
    expiresAt: 'token',
    rootIssuedAt: 'token',
    ceiling: 'token',
    authTime: 'token',
  }
  const groups = (...names: readonly string[]) => ({ ...chain, subject: { ...clerk, groups: names } })
  for (const field of ['digest', 'isRecovered', 'subject'] as const) {
    it(`differs by ${field}`, () => {
      expect(keyOfChain({ ...chain, [field]: changes[field] })).to.not.equal(keyOfChain(chain))
    })
  }

  it('differs by the groups that are allowed now', () => {
    const keys = [groups(), groups('a'), groups('a', 'b'), groups('b', 'a'), groups('ab'), groups('a1:b')]
    const others = [groups('', 'a'), groups('a', ''), groups('1:a')]
    const all = [...keys, ...others].map((each) => keyOfChain(each))
    expect(new Set(all).size).to.equal(all.length)
  })

  it('is that of no chain just for no chain', () => {
    expect(keyOfChain({ kind: 'none' })).to.not.equal(keyOfChain({ ...chain, digest: 'none' }))
  })
})

describe('decision/check/keys, of a judgement about a first hop', () => {
  const begun: FirstHop = firstHop(clerk, ['a'])
  /** `unread`: the policies do not see it, and no reason names it. */
  const changes: { readonly [field in keyof Required<FirstHop>]: FirstHop[field] | 'unread' } = {
    kind: 'first-hop',
    subject: { ...clerk, id: 'other' },
    unlistedGroups: ['b'],
    scopes: ['b'],
    issuedAt: 'unread',
    expiresAt: 'unread',
    authTime: 'unread',
  }
  for (const field of ['subject', 'unlistedGroups', 'scopes'] as const) {
    it(`differs by ${field}`, () => {
      expect(keyOfFirstHop({ ...begun, [field]: changes[field] })).to.not.equal(keyOfFirstHop(begun))
    })
  }

  const subjects: { readonly [field in keyof Subject]: Subject[field] } = {
    issuerName: 'other',
    issuer: 'https://other.example',
    id: 'other',
    groups: ['other'],
  }
  for (const [field, value] of Object.entries(subjects)) {
    it(`differs by the ${field} of the user`, () => {
      const other = { ...begun, subject: { ...clerk, [field]: value } }
      expect(keyOfFirstHop(other)).to.not.equal(keyOfFirstHop(begun))
    })
  }

  it('lets no text run into the next', () => {
    const all = [
      firstHop({ ...clerk, groups: ['a', 'b'] }),
      firstHop({ ...clerk, groups: ['a'] }, ['b']),
      firstHop({ ...clerk, groups: [] }, ['a', 'b']),
      firstHop({ ...clerk, groups: ['ab'] }),
      firstHop({ ...clerk, groups: ['a1:b'] }),
      { ...firstHop({ ...clerk, groups: [] }), unlistedGroups: ['a', 'b'] },
      { ...firstHop({ ...clerk, groups: [] }), unlistedGroups: [] },
      firstHop({ ...clerk, groups: [] }),
      firstHop({ ...clerk, id: `${clerk.id}0:`, groups: [] }),
    ]
    expect(new Set(all.map(keyOfFirstHop)).size).to.equal(all.length)
  })
})

describe('decision/check/keys, of a request', () => {
  const key = (name: string, method: string, path: string, isUpgrade = false) =>
    keyOfRequest({ name }, { method, path, isUpgrade })

  it('differs by service, method, path, upgrade, and a method in the query', () => {
    const keys = [
      key('a', 'GET', '/b'),
      key('a1', 'GET', '/b'),
      key('a', 'PUT', '/b'),
      key('a', 'GET', '/c'),
      key('a', 'GET', '/b', true),
      key('a', 'GET', '/b?_method=PUT'),
      key('a', 'G', 'ET/b'),
      key('a', 'GET/b', ''),
      key('a request 3:GET/b', '', ''),
    ]
    expect(new Set(keys).size).to.equal(keys.length)
  })

  it('is the same whatever else the query says', () => {
    expect(key('a', 'GET', '/b?c=d')).to.equal(key('a', 'GET', '/b'))
  })
})
