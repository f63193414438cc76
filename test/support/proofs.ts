import type { FirstHop } from '../../src/base/model/chain.ts'
import type { Headers } from '../../src/base/model/check-input.ts'
import { type Deny, deny, isDeny } from '../../src/base/model/decision.ts'
import { isNeed, type Met, type Need } from '../../src/base/model/need.ts'
import type { ProvenTokens } from '../../src/decision/identity/token-proof.ts'
import type { UserIssuer } from '../../src/decision/identity/user-issuer.ts'
import { verifyUserToken } from '../../src/decision/identity/user-token.ts'
import { parseCompactJws } from '../../src/decision/jws/compact.ts'
import { toKeySet, tokenAlgorithms, toVerifyingKey } from '../../src/decision/jws/key-set.ts'
import { verifySignature } from '../../src/decision/jws/signature.ts'
import { good } from './forge.ts'

/** Proves a token without waiting, by the verifier of chains; a key that is missing cannot be fetched. */
export function meetAtOnce(need: Need): Met {
  if (need.what === 'provider_key') return need.unmet
  const key = good(toVerifyingKey(new Map(Object.entries(need.jwk)), tokenAlgorithms))
  const jws = parseCompactJws(need.token, { maxBytes: 65_536, typ: ['JWT', 'at+jwt'], reading: 'provider' })
  if (jws.kind === 'jws-fault') throw new TypeError(jws.reason)
  const named = { ...jws, protectedHeader: { ...jws.protectedHeader, alg: key.alg } }
  return verifySignature(named, toKeySet([key])) === true
    ? { kind: 'proof', key: need.key }
    : { ...deny('token_invalid', 'the signature does not verify'), issuer: need.issuer }
}

/** Empty proofs, for a check that remembers nothing. */
export function provenBy(proofs: ReadonlySet<string>): ProvenTokens {
  return { recall: () => undefined, isProven: (key) => proofs.has(key), remember: () => {} }
}

/** Asks with the proofs so far until nothing is missing that can be had. */
export function askWithProofs<T extends object>(
  ask: (proofs: ReadonlySet<string>) => T | Need,
  proofs: ReadonlySet<string> = new Set(),
): T | Deny {
  const answer = ask(proofs)
  if (!isNeed(answer)) return answer
  const met = meetAtOnce(answer)
  if (met === undefined || proofs.has(answer.key)) return answer.unmet
  return isDeny(met) ? met : askWithProofs(ask, new Set([...proofs, met.key]))
}

/** Verifies the token in these headers. */
export function verifyAtOnce(
  headers: Headers,
  issuers: readonly UserIssuer[],
  nowMs: number,
): FirstHop | Deny {
  return askWithProofs((proofs) =>
    verifyUserToken(headers, issuers, { nowMs, callees: [] }, provenBy(proofs)),
  )
}
