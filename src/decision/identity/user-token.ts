import { hash } from 'node:crypto'
import type { FirstHop } from '../../base/model/chain.ts'
import { type Headers, singleHeader } from '../../base/model/check-input.ts'
import { type Deny, deny, isDeny } from '../../base/model/decision.ts'
import { isInvalid } from '../../base/model/invalid.ts'
import type { KeyNeed, Need } from '../../base/model/need.ts'
import { quote } from '../../base/text/quote.ts'
import { parseCompactJws, type TokenForm } from '../jws/compact.ts'
import { findSigningKey, isKeyUnknown } from '../jws/provider-keys.ts'
import { type ClaimContext, readClaims } from './token-claims.ts'
import { accessTokenTypes } from './token-kind.ts'
import { type PresentedToken, type ProvenTokens, recallForm, requireProof } from './token-proof.ts'
import type { UserIssuer } from './user-issuer.ts'

/** The size of the largest token that is read, bytes. */
const maxBytes = 16 * 1024
const dpopPattern = /^DPoP /i
const bearerPattern = /^Bearer ([A-Za-z0-9._-]+)$/i

/**
 * Verifies the user's own OAuth access token (RFC 9068, and the forms of Keycloak, Entra and Okta) from an ingress peer.
 * Only a user's access token begins a chain: no ID token, no client's own token, and no delegated token. Only the claims
 * read here matter. A reason names the claim that was wrong. Form and signature of a token never change; everything else
 * is asked anew.
 */
export function verifyUserToken(
  headers: Headers,
  issuers: readonly UserIssuer[],
  { nowMs, callees }: Pick<ClaimContext, 'nowMs' | 'callees'>,
  proven: ProvenTokens,
): FirstHop | Deny | Need {
  const presented = readBearerToken(headers)
  if (isDeny(presented)) return presented
  const form =
    recallForm(presented, issuers, proven) ??
    parseCompactJws(presented.text, { maxBytes, typ: accessTokenTypes, reading: 'provider' })
  if (form.kind === 'jws-fault') return invalidToken(form.reason)
  const issuer = issuers.find((candidate) => candidate.issuer === form.claims.get('iss'))
  if (issuer === undefined)
    return invalidToken(
      `\`iss\` is ${quote(form.claims.get('iss'))}, which this ingress peer may not present`,
    )
  const hop = verifyForm(presented, form, issuer, () => readClaims(form, { issuer, nowMs, callees }), proven)
  return isDeny(hop) ? { ...hop, issuer: issuer.name } : hop
}

function verifyForm(
  presented: PresentedToken,
  form: TokenForm,
  issuer: UserIssuer,
  read: () => FirstHop | Deny,
  proven: ProvenTokens,
): FirstHop | Deny | Need {
  const key = findSigningKey(form, issuer.keys)
  if (isInvalid(key)) {
    // A provider may sign with a key that nobody could read yet. Only a token that is right in all else causes a fetch.
    const isFetched = issuer.canFetchKeys === true && isKeyUnknown(form, issuer.keys)
    const claimed = isFetched ? read() : undefined
    return claimed === undefined || isDeny(claimed)
      ? invalidToken(key.reason)
      : needKey(issuer, form.protectedHeader.kid)
  }
  return requireProof(presented, form, key, issuer, proven) ?? read()
}

function needKey({ name }: UserIssuer, kid: string): KeyNeed {
  const reason = `the keys of \`${name}\` have none with the \`kid\` ${quote(kid)}`
  const unmet = { ...deny('token_key_unknown', reason), issuer: name, retryAfterSeconds: 1 }
  const key = `provider key ${name} ${kid}`
  return { kind: 'need', what: 'provider_key', key, issuer: name, kid, unmet }
}

function readBearerToken(headers: Headers): PresentedToken | Deny {
  const header = singleHeader(headers, 'authorization')
  if (header === undefined) return deny('token_missing', 'no `authorization`')
  if (header === 'repeated') return invalidToken('expected one `authorization`, found several')
  if (dpopPattern.test(header.value))
    return invalidToken(
      'the token is sender-constrained: `authorization` is `DPoP`; the gateway must verify the proof, and present a token without it as `Bearer`',
    )
  const text = bearerPattern.exec(header.value)?.[1]
  if (text === undefined) return invalidToken('expected `Bearer` and one token')
  return { text, digest: hash('sha256', text, 'base64url') }
}

function invalidToken(reason: string): Deny {
  return deny('token_invalid', reason)
}
