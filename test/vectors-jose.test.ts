import { expect } from 'chai'
import { compactVerify, createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet } from 'jose'
import type { Vector } from '../scripts/vectors/vector.ts'
import { deny } from '../src/base/model/decision.ts'
import { isFailure } from '../src/base/model/failure.ts'
import { chainType, maxTokenBytes } from '../src/decision/chain/token.ts'
import { accessTokenTypes } from '../src/decision/identity/token-kind.ts'
import { parseCompactJws } from '../src/decision/jws/compact.ts'
import { chainAlgorithms, parseJwks, tokenAlgorithms } from '../src/decision/jws/key-set.ts'
import { findSigningKey, parseProviderKeys } from '../src/decision/jws/provider-keys.ts'
import { verifySignature } from '../src/decision/jws/signature.ts'
import { elapsedMs } from '../src/server/by-deadline.ts'
import { createTokenProver } from '../src/server/provider-keys/token-prover.ts'
import { toPlainJson } from './support/plain-json.ts'
import { readVectors } from './support/vector.ts'

/** Forms and signatures that jose alone takes and Waywarden refuses, by the beginning of the vector's name. */
const stricter: readonly (readonly [vectors: RegExp, reason: string])[] = [
  [/^chain-(?:byte-order-mark|invalid-utf8|lone-surrogate)$/, 'two readers decode the bytes differently'],
  [/^chain-claims-are-a-list$/, 'jose leaves the payload unread'],
  [/^(?:chain|user-token)-duplicate-|^chain-header-duplicate$|^keycloak-unread-duplicate$/, 'two values'],
  [/^chain-deep-nesting$|^keycloak-unread-too-deep$/, 'another reader may run out of stack'],
  [/^chain-(?:constructor|proto)-claim$/, 'in another reader the name could reach a prototype'],
  [/^chain-encoding-(?:non-canonical|padding|trailing-newline)$/, 'one signature under several texts'],
  [/^chain-(?:exp|self)-[0-9]/, 'two readers round the number differently'],
  [/^chain-header-(?:b64|jku|jwk|unknown|x5c|x5u|zip)$/, 'a header that we never write'],
  [/^chain-header-typ-|^keycloak-typ-other-|^user-token-logout-token$/, 'another kind of token'],
  [/^chain-kid-missing$/, 'the key must be named, not tried'],
  [/^chain-oversize$/, 'the size is bounded before anything is decoded'],
  [/^keycloak-header-(?:b64|jwk|zip)$|^user-token-own-key$/, 'it changes what is signed, or brings a key'],
  [/^keycloak-keys-exposed-under-another-kid$/, 'everybody who reads the set can sign'],
  [/^keycloak-keys-kid-twice/, 'the token could mean either key'],
]

/** Tokens that Waywarden takes and jose alone refuses. One bad key of a provider must not end all logins. */
const milder: readonly (readonly [vectors: RegExp, reason: string])[] = [
  [/^keycloak-keys-beside-(?:all|list|nothing|text)$/, 'the set has an entry that is no key'],
  [/^keycloak-keys-beside-twice$/, 'the set has the same key twice'],
  [/^keycloak-keys-(?:Ed25519-for-EdDSA|EdDSA-for-Ed25519)$/, 'two names of one algorithm (RFC 9864)'],
]

/** A token of a vector, and how it is presented. */
type Token = { readonly kind: 'chain' | 'user'; readonly text: string }

describe('vectors, form and signature, beside jose alone', () => {
  const used = new Set<RegExp>()
  for (const vector of readVectors()) {
    for (const token of tokensOf(vector)) {
      it(`${vector.name}: the same answer for a ${token.kind}'s token, or a difference with its reason`, async () => {
        const [ours, joses] = [await readOurs(token, vector), await readByJose(token, vector)]
        const named = [...stricter, ...milder].filter(([pattern]) => pattern.test(vector.name))
        for (const [pattern] of named) used.add(pattern)
        if (ours !== undefined && joses !== undefined) expect(toPlainJson(ours)).to.deep.equal(joses)
        const isDifferent = (ours === undefined) !== (joses === undefined)
        expect(named.length, 'differences listed').to.equal(isDifferent ? 1 : 0)
        if (isDifferent)
          expect((ours === undefined ? stricter : milder).some((each) => each === named[0])).to.equal(true)
      })
    }
  }

  it('lists no difference that is none', () => {
    for (const [pattern, reason] of [...stricter, ...milder])
      expect(used.has(pattern), `${pattern}: ${reason}`).to.equal(true)
  })
})

function tokensOf({ request }: Vector): readonly Token[] {
  const chains = request.headers['actor-chain'] ?? []
  const bearers = (request.headers['authorization'] ?? []).flatMap(
    (value) => /^Bearer (.+)$/i.exec(value)?.[1] ?? [],
  )
  return [
    ...chains.map((text) => ({ kind: 'chain' as const, text })),
    ...bearers.map((text) => ({ kind: 'user' as const, text })),
  ]
}

const prove = createTokenProver()
const minuteMs = 60_000

/** The claims as Waywarden reads them; `undefined` if the form or the signature is refused. */
async function readOurs({ kind, text }: Token, { config }: Vector): Promise<unknown> {
  if (kind === 'chain') {
    const jws = parseCompactJws(text, { maxBytes: maxTokenBytes, typ: [chainType], reading: 'ours' })
    const keys = parseJwks(JSON.stringify(config.chain.jwks))
    if (isFailure(jws) || isFailure(keys)) return undefined
    return verifySignature(jws, keys) === true ? jws.claims : undefined
  }
  const jws = parseCompactJws(text, { maxBytes: 16_384, typ: accessTokenTypes, reading: 'provider' })
  if (isFailure(jws)) return undefined
  const user = config.users.find(({ issuer }) => issuer === jws.claims.get('iss'))
  if (user === undefined) return undefined
  const keys = parseProviderKeys(JSON.stringify(user.jwks))
  const key = isFailure(keys) ? keys : findSigningKey(jws, keys)
  if (isFailure(key)) return undefined
  const { alg } = jws.protectedHeader
  const about = { key: text, issuer: user.name, token: text, alg, jwk: key.jwk }
  const need = {
    kind: 'need',
    what: 'provider_proof',
    ...about,
    unmet: deny('deadline_exceeded', ''),
  } as const
  const proof = await prove(need, elapsedMs() + minuteMs)
  return proof.kind === 'proof' ? jws.claims : undefined
}

/** The claims as jose reads them with the published set alone; `undefined` if it refuses. */
async function readByJose({ kind, text }: Token, { config }: Vector): Promise<unknown> {
  try {
    const jwks =
      kind === 'chain'
        ? config.chain.jwks
        : config.users.find(({ issuer }) => issuer === decodeJwt(text).iss)?.jwks
    if (jwks === undefined) return undefined
    const algorithms = kind === 'chain' ? chainAlgorithms : [...tokenAlgorithms, 'Ed25519']
    const set = createLocalJWKSet(jwks as JSONWebKeySet)
    const { payload } = await compactVerify(text, set, { algorithms: [...algorithms] })
    return JSON.parse(
      Buffer.from(payload)
        .toString()
        .replace(/^\uFEFF/, ''),
    )
  } catch (cause) {
    if (cause instanceof errors.JOSEError) return undefined
    throw cause
  }
}
