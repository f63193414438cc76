import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import { noRevocations } from '../../../src/decision/chain/revocations.ts'
import { admitChain, presentedChain, verifySignedChain } from '../../../src/decision/chain/verify.ts'
import { forge, signer } from '../../support/forge.ts'
import { caller, chainClaims, chainHeader, hospitalIdp, nowMs, trust, uris } from '../../support/hospital.ts'

const genuine = () => forge(chainHeader, chainClaims, signer('chain'))

describe('decision/chain/verify', () => {
  it('admits the chain that its holder presents, with our name for the user’s provider', async () => {
    const chain = admitChain(await proven(), caller(uris.agentD), trust, nowMs, noRevocations)
    expect(chain).to.deep.include({ kind: 'delegated', txn: chainClaims.txn, ceiling: chainClaims.tctx.ceil })
    expect(chain).to.have.property('subject').that.deep.includes({ issuerName: 'hospital', id: 'clerk' })
  })

  it('admits a proven chain only until it ends, however often it was admitted before', async () => {
    const chain = await proven()
    const at = (seconds: number) =>
      admitChain(chain, caller(uris.agentD), trust, seconds * 1000, noRevocations)
    expect(at(chainClaims.exp + 29)).to.include({ kind: 'delegated' })
    expect(at(chainClaims.exp + 30)).to.include({ code: 'chain_expired' })
  })

  it('admits no proven chain of a provider that is gone from the configuration', async () => {
    const userIssuers = new Map<string, string>()
    const chain = admitChain(
      await proven(),
      caller(uris.agentD),
      { ...trust, userIssuers },
      nowMs,
      noRevocations,
    )
    expect(chain).to.include({ code: 'chain_issuer_unknown' })
  })

  it('gives a proven chain the name that its provider has now, however often it was admitted before', async () => {
    const chain = await proven()
    const names = ['hospital', 'renamed', 'hospital'].map((name) => {
      const userIssuers = new Map([[hospitalIdp, name]])
      const admitted = admitChain(chain, caller(uris.agentD), { ...trust, userIssuers }, nowMs, noRevocations)
      return isDeny(admitted) ? admitted.code : admitted.subject.issuerName
    })
    expect(names).to.deep.equal(['hospital', 'renamed', 'hospital'])
  })

  it('admits no chain that an ingress peer presents, even one that names it as holder', async () => {
    const claims = { ...chainClaims, aud: uris.gateway }
    const chain = verifySignedChain(forge(chainHeader, claims, signer('chain')), trust)
    if (isDeny(chain)) throw new TypeError(chain.reason)
    const admitted = admitChain(chain, caller(uris.gateway), trust, nowMs, noRevocations)
    expect(admitted).to.include({ code: 'chain_not_yours' })
  })

  it('counts the caller among those who act', async () => {
    const admit = async (maxDepth: number) =>
      admitChain(await proven(), caller(uris.agentD), { ...trust, maxDepth }, nowMs, noRevocations)
    expect(await admit(2)).to.include({ kind: 'delegated' })
    expect(await admit(1)).to.include({ code: 'chain_too_deep' })
  })

  it('tells a missing header from an empty and from a repeated one', () => {
    const presented = (...values: readonly string[]) =>
      presentedChain(new Map([['actor-chain', values]]), 'actor-chain')
    expect(presentedChain(new Map(), 'actor-chain')).to.equal(undefined)
    expect(presented('')).to.deep.equal({ value: '' })
    expect(presented(genuine(), genuine())).to.include({ code: 'chain_malformed' })
  })
})

async function proven() {
  const chain = verifySignedChain(genuine(), trust)
  if (isDeny(chain)) throw new TypeError(chain.reason)
  return chain
}
