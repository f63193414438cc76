import { expect } from 'chai'
import { deny, isDeny } from '../../../src/base/model/decision.ts'
import type { ProofNeed } from '../../../src/base/model/need.ts'
import type { Algorithm } from '../../../src/decision/jws/key-set.ts'
import { parseProviderKeys } from '../../../src/decision/jws/provider-keys.ts'
import { elapsedMs } from '../../../src/server/by-deadline.ts'
import { createTokenProver } from '../../../src/server/provider-keys/token-prover.ts'
import { signAs } from '../../support/algorithms.ts'
import { good } from '../../support/forge.ts'
import { createProviderKey, tokenBy } from '../../support/provider.ts'

const [ours, theirs] = [createProviderKey('one'), createProviderKey('one')]

function needOf(token: string, jwk: object, alg = 'ES256'): ProofNeed {
  const [key] = good(parseProviderKeys(JSON.stringify({ keys: [jwk] }))).keys.values()
  if (key === undefined) throw new TypeError('no key')
  const unmet = { ...deny('deadline_exceeded', 'late'), issuer: 'hospital' }
  return {
    kind: 'need',
    what: 'provider_proof',
    key: 'a',
    issuer: 'hospital',
    token,
    alg,
    jwk: key.jwk,
    unmet,
  }
}

const soon = () => elapsedMs() + 60_000
const invalid = { code: 'token_invalid', issuer: 'hospital' }

describe('server/provider-keys/token-prover', () => {
  it('proves a token that the key has signed', async () => {
    const prove = createTokenProver()
    expect(await prove(needOf(tokenBy(ours), ours.jwk), soon())).to.deep.equal({ kind: 'proof', key: 'a' })
  })

  for (const alg of ['RS256', 'PS256', 'EdDSA', 'Ed25519'] as const) {
    it(`proves a token of ${alg}, and no other that has its signature`, async () => {
      const signed = signAs(alg)
      const prove = createTokenProver()
      expect(await prove(needOf(signed.token, signed.jwk, alg), soon())).to.have.property('kind', 'proof')
      const forged = [tokenBy(ours).split('.')[0], ...signed.token.split('.').slice(1)].join('.')
      expect(await prove(needOf(forged, signed.jwk, alg), soon())).to.include(invalid)
    })
  }

  const forgeries: readonly (readonly [string, () => ProofNeed])[] = [
    ['that another key of the same `kid` has signed', () => needOf(tokenBy(theirs), ours.jwk)],
    ['whose signature is cut off', () => needOf(tokenBy(ours).slice(0, -4), ours.jwk)],
    ['without a signature', () => needOf(`${tokenBy(ours).split('.').slice(0, 2).join('.')}.`, ours.jwk)],
    [
      'of another algorithm than was read',
      () => needOf(tokenBy(ours), ours.jwk, 'RS256' satisfies Algorithm),
    ],
    ['that is none', () => needOf('a.b.c', ours.jwk)],
  ]
  for (const [name, need] of forgeries) {
    it(`refuses a token ${name}, as the provider's`, async () => {
      expect(await createTokenProver()(need(), soon())).to.include(invalid)
    })
  }

  it('refuses a key that cannot be imported', async () => {
    const need = needOf(tokenBy(ours), ours.jwk)
    const prove = createTokenProver()
    for (const jwk of [
      { ...need.jwk, x: 'AAAA' },
      { ...need.jwk, kty: 'oct', k: 'c2VjcmV0' },
    ])
      expect(await prove({ ...need, jwk }, soon())).to.include(invalid)
  })

  it('verifies a token once for all checks that ask for it at once', async () => {
    let reads = 0
    const need = needOf(tokenBy(ours), ours.jwk)
    const watched = {
      ...need,
      get token() {
        reads++
        return need.token
      },
    }
    const prove = createTokenProver()
    const proofs = await Promise.all(Array.from({ length: 1000 }, () => prove(watched, soon())))
    expect(proofs.filter((proof) => isDeny(proof))).to.deep.equal([])
    expect(reads).to.equal(1)
    await prove(watched, soon())
    expect(reads).to.equal(2)
  })

  it('answers what the need says when the time is over', async () => {
    const answered = await createTokenProver()(needOf(tokenBy(ours), ours.jwk), elapsedMs() - 1)
    expect(isDeny(answered) ? answered.code : answered.kind).to.be.oneOf(['deadline_exceeded', 'proof'])
  })
})
