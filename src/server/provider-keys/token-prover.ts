import { type CryptoKey, compactVerify, errors, importJWK } from 'jose'
import { type Deny, deny } from '../../base/model/decision.ts'
import { describeCause, type Fault, fault, isFault } from '../../base/model/fault.ts'
import type { MaybePromise } from '../../base/model/maybe-promise.ts'
import type { ProofNeed, TokenProof } from '../../base/model/need.ts'
import { byDeadline } from '../by-deadline.ts'

/** Proves that a provider's key has signed a token; by a moment of the monotonic clock. */
export type TokenProver = (need: ProofNeed, byMs: number) => MaybePromise<TokenProof | Deny>

/**
 * Creates a prover. It verifies by jose, and so by WebCrypto: a signature is checked in a thread of its own and delays no
 * other check. The form of a token was read strictly before. Checks of the same token share one verification.
 */
export function createTokenProver(): TokenProver {
  // An imported key lives as long as the set that holds its JWK.
  const imported = new WeakMap<ProofNeed['jwk'], Promise<CryptoKey | Fault>>()
  const underWay = new Map<string, Promise<TokenProof | Deny>>()
  const importOnce = (jwk: ProofNeed['jwk']): Promise<CryptoKey | Fault> => {
    const known = imported.get(jwk) ?? importKey(jwk)
    imported.set(jwk, known)
    return known
  }
  const prove = async (need: ProofNeed): Promise<TokenProof | Deny> => {
    const key = await importOnce(need.jwk)
    return isFault(key) ? refuse(need, `the key cannot be imported: ${key.reason}`) : verify(need, key)
  }
  const proveOnce = (need: ProofNeed): Promise<TokenProof | Deny> => {
    const known = underWay.get(need.key)
    if (known !== undefined) return known
    const proving = prove(need).finally(() => underWay.delete(need.key))
    underWay.set(need.key, proving)
    return proving
  }
  return (need, byMs) => byDeadline<TokenProof | Deny>(proveOnce(need), byMs, () => need.unmet)
}

async function verify(need: ProofNeed, key: CryptoKey): Promise<TokenProof | Deny> {
  try {
    await compactVerify(need.token, key, { algorithms: [need.alg] })
    return { kind: 'proof', key: need.key }
  } catch (cause) {
    if (cause instanceof errors.JWSSignatureVerificationFailed)
      return refuse(need, 'the signature does not verify')
    if (cause instanceof errors.JOSEError) return refuse(need, `the signature does not verify: ${cause.code}`)
    throw cause
  }
}

async function importKey(jwk: ProofNeed['jwk']): Promise<CryptoKey | Fault> {
  try {
    const key = await importJWK({ ...jwk })
    return key instanceof Uint8Array ? fault('it is a shared secret') : key
  } catch (cause) {
    return fault(describeCause(cause))
  }
}

function refuse({ issuer }: ProofNeed, reason: string): Deny {
  return { ...deny('token_invalid', reason), issuer }
}
