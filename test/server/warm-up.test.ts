import { expect } from 'chai'
import { isProblems } from '../../src/base/model/problems.ts'
import { parseConfig } from '../../src/config/config.ts'
import { toChainKeys } from '../../src/decision/chain/keys.ts'
import { parseJwks } from '../../src/decision/jws/key-set.ts'
import { createTokenProver } from '../../src/server/provider-keys/token-prover.ts'
import { warmUp, warmUpProofs } from '../../src/server/warm-up.ts'
import { good, readJwks } from '../support/forge.ts'
import { chainKey, nowMs } from '../support/hospital.ts'
import { settings } from '../support/settings.ts'

describe('server/warm-up', () => {
  const config = parseConfig('/waywarden.yaml', settings, new Map())
  if (isProblems(config)) throw new TypeError('bad settings')

  it('passes with keys that verify what they sign', () => {
    expect(() => warmUp(config, toChainKeys(chainKey, [chainKey.public]), nowMs)).not.to.throw()
  })

  it('refuses a signing key whose public half is another', () => {
    const other = good(parseJwks(readJwks('stranger')))
    expect(() => warmUp(config, toChainKeys(chainKey, [...other.keys.values()]), nowMs))
      .to.throw()
      .with.property('code', 'start_failed')
  })

  it('proves tokens before the first login, and does not start if it cannot', async () => {
    const keys = toChainKeys(chainKey, [chainKey.public])
    let proofs = 0
    const prove = createTokenProver()
    await warmUpProofs(keys, (need, byMs) => {
      proofs++
      return prove(need, byMs)
    })
    expect(proofs).to.be.greaterThan(1)
    const refused = await warmUpProofs(keys, ({ unmet }) => unmet).catch((cause: unknown) => cause)
    expect(refused).to.have.property('code', 'start_failed')
  })
})
