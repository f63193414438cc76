import { expect } from 'chai'
import type { DelegatedChain, FirstHop } from '../../../src/base/model/chain.ts'
import { isDeny } from '../../../src/base/model/decision.ts'
import type { Service } from '../../../src/base/model/target.ts'
import { type MintOptions, mintChild, type SignedChain } from '../../../src/decision/chain/extend.ts'
import { noRevocations } from '../../../src/decision/chain/revocations.ts'
import { parseChainToken } from '../../../src/decision/chain/token.ts'
import { admitChain, verifySignedChain } from '../../../src/decision/chain/verify.ts'
import { caller, clerk, mintOptions, now, nowMs, service, trust, uris } from '../../support/hospital.ts'

const { gateway, agentA, agentD, insurance } = uris

describe('decision/chain/extend', () => {
  it('begins a chain for the first agent, in which nobody has acted yet', async () => {
    const first = await begin()
    expect(read(first)).to.deep.include({ actors: [], parHash: undefined, txn: 'txn-1', jti: 'jti-1' })
    expect(read(first)).to.have.nested.property('holder.uri', agentA)
  })

  it('adds the caller as latest actor at each hop, and links to the parent', async () => {
    const atA = await hold(await begin(), agentA)
    const atD = await hold(await mint(atA, agentA, service(agentD)), agentD)
    const last = read(await mint(atD, agentD, service(insurance)))
    expect(last.actors.map(({ uri }) => uri)).to.deep.equal([agentD, agentA])
    expect(last.parHash).to.equal(atD.digest)
    expect(last.holder.uri).to.equal(insurance)
  })

  it('changes nothing that names the transaction', async () => {
    const first = await begin()
    const child = await mint(await hold(first, agentA), agentA, service(agentD), {}, now + 100)
    const { subject, txn, ceiling, rootIssuedAt, authTime } = read(first)
    expect(read(child)).to.deep.include({ subject, txn, ceiling, rootIssuedAt, authTime })
    expect(authTime).to.equal(clerk.authTime)
  })

  it('names the transaction once, whatever name it is given later', async () => {
    expect((await mint(await hold(await begin(), agentA), agentA, service(agentD))).txn).to.equal('txn-1')
  })

  it('roots a chain in the time of the user’s token, so that an earlier revocation still meets it', async () => {
    expect(read(await begin()).rootIssuedAt).to.equal(clerk.issuedAt)
  })

  it('keeps only scopes that the service lists', async () => {
    const atA = await hold(await begin(), agentA)
    const narrowed = await mint(atA, agentA, service(agentD, { scopes: ['insurance:read', 'admin'] }))
    expect(read(narrowed).scopes).to.deep.equal(['insurance:read'])
    const widened = await mint(await hold(narrowed, agentD), agentD, service(insurance))
    expect(read(widened).scopes).to.deep.equal(['insurance:read'])
  })

  const lives = [
    { name: 'lets a hop live as long as the service says', options: {}, hop: 300, want: 300 },
    { name: 'lets no hop outlive the chain', options: { maxLifetimeSeconds: 200 }, hop: 300, want: 200 },
    {
      name: 'ends with the user’s token where the ceiling is the token',
      options: { ceiling: 'token' },
      hop: 3000,
      want: 1800,
    },
    { name: 'outlives the user’s token where the ceiling is fixed', options: {}, hop: 3000, want: 3000 },
  ] as const
  for (const { name, options, hop, want } of lives) {
    it(name, async () => {
      const first = await mint(clerk, gateway, service(agentA, { hopLifetimeSeconds: hop }), options)
      expect(first.expiresAt - now).to.equal(want)
    })
  }

  it('mints nothing that has no time left', async () => {
    const expired = { ...clerk, expiresAt: now - 5 }
    expect(await tryMint(expired, gateway, service(agentA), { ceiling: 'token' })).to.include({
      code: 'chain_expired',
    })
  })

  it('mints nothing deeper than is allowed', async () => {
    const atD = await hold(await mint(await hold(await begin(), agentA), agentA, service(agentD)), agentD)
    expect(await tryMint(atD, agentD, service(insurance), { maxDepth: 1 })).to.include({
      code: 'chain_too_deep',
    })
  })

  describe('for an agent that calls itself', () => {
    /** The chain of D after it has called itself that many times. */
    const afterCalls = async (count: number): Promise<DelegatedChain> => {
      const first = await mint(await hold(await begin(), agentA), agentA, service(agentD))
      let held = await hold(first, agentD)
      for (let call = 0; call < count; call++)
        held = await hold(await mint(held, agentD, service(agentD)), agentD)
      return held
    }

    it('adds it once as actor, and counts each further call', async () => {
      const seen: unknown[] = []
      for (let calls = 0; calls < 4; calls++) {
        const { actors, selfCalls } = await afterCalls(calls)
        seen.push([actors.length, selfCalls])
      }
      expect(seen).to.deep.equal([
        [1, 0],
        [2, 0],
        [2, 1],
        [2, 2],
      ])
    })

    it('writes the claim only when there is something to count, since older replicas refuse it', async () => {
      const claim = async (calls: number) => {
        const [, claims = ''] = (await mint(await afterCalls(calls), agentD, service(insurance))).token.split(
          '.',
        )
        return JSON.parse(Buffer.from(claims, 'base64url').toString()).tctx.self
      }
      expect(await claim(0)).to.equal(undefined)
      expect(await claim(1)).to.equal(undefined)
      expect(await claim(2)).to.equal(1)
    })

    it('mints nothing after as many as actors are allowed', async () => {
      const most = await afterCalls(1 + mintOptions.maxDepth)
      expect(most.selfCalls).to.equal(mintOptions.maxDepth)
      expect(tryMint(most, agentD, service(agentD))).to.include({ code: 'chain_too_deep' })
    })

    it('lets it call another with the chain with which it may not call itself', async () => {
      const onward = await mint(await afterCalls(1 + mintOptions.maxDepth), agentD, service(insurance))
      expect(read(onward)).to.include({ selfCalls: mintOptions.maxDepth })
    })

    it('counts a retry with the same chain as the same call', async () => {
      const held = await afterCalls(2)
      for (let retry = 0; retry < 10; retry++)
        expect(read(await mint(held, agentD, service(agentD)))).to.include({ selfCalls: 2 })
    })

    it('keeps the count along the chain', async () => {
      const atInsurance = await hold(await mint(await afterCalls(3), agentD, service(insurance)), insurance)
      expect(read(await mint(atInsurance, insurance, service(agentA)))).to.include({ selfCalls: 2 })
    })
  })

  it('mints nothing that would not fit in the header', async () => {
    const groups = Array.from({ length: 300 }, (_, index) => `group-number-${index}`)
    const crowded = { ...clerk, subject: { ...clerk.subject, groups } }
    expect(await tryMint(crowded, gateway, service(agentA))).to.include({ code: 'chain_too_large' })
  })
})

function tryMint(
  chain: DelegatedChain | FirstHop,
  calls: string,
  callee: Service,
  options: Partial<MintOptions> = {},
  seconds: number = now,
) {
  const ids = {
    jti: `jti-${chain.kind === 'first-hop' ? 1 : 2}`,
    txn: chain.kind === 'first-hop' ? 'txn-1' : 'txn-2',
  }
  return mintChild(chain, caller(calls), callee, { ...mintOptions, ...options }, seconds * 1000, ids)
}

async function mint(...args: Parameters<typeof tryMint>): Promise<SignedChain> {
  const signed = await tryMint(...args)
  if (isDeny(signed)) throw new TypeError(signed.reason)
  return signed
}

function begin(): Promise<SignedChain> {
  return mint(clerk, gateway, service(agentA))
}

function read(signed: SignedChain) {
  const parsed = parseChainToken(signed.token, trust)
  if (isDeny(parsed)) throw new TypeError(parsed.reason)
  return parsed.token
}

async function hold(signed: SignedChain, holder: string): Promise<DelegatedChain> {
  const proven = verifySignedChain(signed.token, trust)
  const chain = isDeny(proven) ? proven : admitChain(proven, caller(holder), trust, nowMs, noRevocations)
  if (isDeny(chain)) throw new TypeError(chain.reason)
  return chain
}
