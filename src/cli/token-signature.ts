import { hash } from 'node:crypto'
import { isDeny } from '../base/model/decision.ts'
import { isInvalid } from '../base/model/invalid.ts'
import type { UserIssuerConfig } from '../config/user-issuer.ts'
import { requireProof } from '../decision/identity/token-proof.ts'
import type { TokenForm } from '../decision/jws/compact.ts'
import { findSigningKey, parseProviderKeys } from '../decision/jws/provider-keys.ts'
import { elapsedMs } from '../server/by-deadline.ts'
import { createTokenProver } from '../server/provider-keys/token-prover.ts'
import { readTextFile } from './input.ts'

/** Whether a signature verifies; `undefined` if the keys are not on this machine. */
export type SignatureFinding = { readonly isRight: boolean | undefined; readonly text: string }

const patienceMs = 10_000

/** Verifies a signature by the file of a provider's keys. Nothing is fetched. */
export async function verifyOffline(
  text: string,
  form: TokenForm,
  user: UserIssuerConfig,
): Promise<SignatureFinding> {
  const { keySource } = user
  if (keySource.kind === 'remote')
    return { isRight: undefined, text: 'not verified, because the keys are fetched by `serve` alone' }
  const input = await readTextFile(keySource.path)
  if (isInvalid(input))
    return { isRight: undefined, text: `not verified: ${keySource.path}: ${input.reason}` }
  const keys = parseProviderKeys(input.text)
  if (isInvalid(keys)) return refused(keys.reason)
  const key = findSigningKey(form, keys)
  if (isInvalid(key)) return refused(key.reason)
  const presented = { text, digest: hash('sha256', text, 'base64url') }
  const nothing = { recall: () => undefined, isProven: () => false, remember: () => {} }
  const need = requireProof(presented, form, key, { ...user, keys }, nothing)
  const proof = need && (await createTokenProver()(need, elapsedMs() + patienceMs))
  return isDeny(proof)
    ? refused(proof.reason)
    : { isRight: true, text: `verified by the key of ${keySource.path}` }
}

function refused(reason: string): SignatureFinding {
  return { isRight: false, text: `refused: ${reason}` }
}
