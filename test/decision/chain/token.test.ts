import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import { maxTokenBytes, parseChainToken, toChainClaims } from '../../../src/decision/chain/token.ts'
import { forge, signer } from '../../support/forge.ts'
import { act, chainClaims, chainHeader, trust, uris } from '../../support/hospital.ts'

const sign = signer('chain')

describe('decision/chain/token', () => {
  it('reads every claim', () => {
    const token = parsed(chainClaims)
    expect(token).to.deep.include({
      issuer: chainClaims.iss,
      subject: { issuer: chainClaims.sub_iss, id: 'clerk', groups: ['billing'] },
      issuedAt: chainClaims.iat,
      expiresAt: chainClaims.exp,
      jti: chainClaims.jti,
      txn: chainClaims.txn,
      scopes: ['insurance:read'],
      authTime: chainClaims.tctx.auth_time,
      rootIssuedAt: chainClaims.tctx.root_iat,
      ceiling: chainClaims.tctx.ceil,
      parHash: chainClaims.par_hash,
    })
    expect(token.holder.uri).to.equal(uris.agentD)
  })

  it('reads actors latest first', () => {
    const token = parsed({ ...chainClaims, act: act(uris.agentR, uris.agentA) })
    expect(token.actors.map(({ uri }) => uri)).to.deep.equal([uris.agentR, uris.agentA])
  })

  it('knows a user again, and nobody else for them', () => {
    const one = parsed(chainClaims).subject
    expect(parsed({ ...chainClaims, jti: 'another' }).subject).to.equal(one)
    const groupsOf = (groups: readonly string[]) =>
      parsed({ ...chainClaims, tctx: { ...chainClaims.tctx, groups } }).subject.groups
    for (const groups of [['a', 'b'], ['b', 'a'], ['a","b'], ['ab'], ['a'], []])
      expect(groupsOf(groups)).to.deep.equal(groups)
    expect(parsed({ ...chainClaims, sub: 'doctor' }).subject).to.deep.equal({ ...one, id: 'doctor' })
    expect(parsed({ ...chainClaims, sub_iss: 'https://other.example' }).subject.issuer).to.not.equal(
      one.issuer,
    )
  })

  it('writes the claims that it reads', () => {
    const written = JSON.stringify(toChainClaims(parsed(chainClaims)))
    expect(JSON.parse(written)).to.deep.equal(JSON.parse(JSON.stringify(chainClaims)))
  })

  it('takes an absent scope for the empty set', () => {
    expect(parsed({ ...chainClaims, scope: undefined }).scopes).to.deep.equal([])
  })

  it('reads eight actors when so many may act', () => {
    const claims = { ...chainClaims, act: act(...Array<string>(8).fill(uris.agentA)) }
    const result = parseChainToken(forge(chainHeader, claims, sign), { ...trust, maxDepth: 8 })
    expect(isDeny(result)).to.equal(false)
  })

  it('refuses the ninth', () => {
    const claims = { ...chainClaims, act: act(...Array<string>(9).fill(uris.agentA)) }
    const result = parseChainToken(forge(chainHeader, claims, sign), { ...trust, maxDepth: 8 })
    expect(result).to.include({ code: 'chain_too_deep' })
  })

  for (const recovered of [false, 'true', 'false', 1, 0, null, {}, []]) {
    it(`refuses a mark of recovery that is ${JSON.stringify(recovered)}`, () => {
      const result = parseChainToken(forge(chainHeader, { ...chainClaims, recovered }, sign), trust)
      expect(result).to.include({ code: 'chain_malformed' })
    })
  }

  it('reads the mark of recovery, and takes none for no recovery', () => {
    expect(parsed({ ...chainClaims, recovered: true }).isRecovered).to.equal(true)
    expect(parsed({ ...chainClaims, recovered: undefined }).isRecovered).to.equal(false)
  })

  it('refuses what is larger than a header may be', () => {
    expect(parseChainToken('x'.repeat(maxTokenBytes + 1), trust)).to.include({ code: 'chain_too_large' })
  })
})

function parsed(claims: object) {
  const result = parseChainToken(forge(chainHeader, claims, sign), trust)
  if (isDeny(result)) throw new TypeError(result.reason)
  return result.token
}
