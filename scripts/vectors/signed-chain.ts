import { forge, signer } from '../../test/support/forge.ts'
import { chainClaims, chainHeader } from '../../test/support/hospital.ts'
import { toVector, type Vector } from './vector.ts'

const sign = signer('chain')

type Rest = Partial<Parameters<typeof toVector>[0]>

/** A vector in which a trusted key signed the clerk's chain with some claims changed. */
export function signed(name: string, why: string, claims: object, want: string, rest: Rest = {}): Vector {
  const token = forge(chainHeader, { ...chainClaims, ...claims }, sign)
  return toVector({
    name: `chain-${name}`,
    why,
    want,
    ...rest,
    request: { headers: { 'actor-chain': [token] } },
  })
}

/** A vector in which a trusted key signed this exact text, which is no chain. */
export function raw(name: string, why: string, claims: string | Buffer): Vector {
  const token = forge(chainHeader, claims, sign)
  return toVector({
    name: `chain-${name}`,
    why,
    want: 'chain_malformed',
    request: { headers: { 'actor-chain': [token] } },
  })
}
