import { readFileSync } from 'node:fs'
import { encodePart, forge, hmacSigner, readJwks, type Signer, signer } from '../../test/support/forge.ts'
import { act, chainClaims, chainHeader, uris } from '../../test/support/hospital.ts'
import { toVector, type Vector } from './vector.ts'

const genuine = forge(chainHeader, chainClaims, signer('chain'))
const [header = '', payload = '', signature = ''] = genuine.split('.')
/** ES256 signatures are random, so this token is kept: `chainClaims` under the key `chain-es256`. */
const es256 = readFileSync(new URL('../../test/support/keys/es256-chain.jws', import.meta.url), 'utf8').trim()

/** Texts that no trusted key signed as they are. */
export function chainForgeryVectors(): readonly Vector[] {
  return [...tampered(), ...algorithms(), ...keyNames(), ...headerMembers(), ...encodings()]
}

function tampered(): readonly Vector[] {
  const resigned = (claims: object) => `${header}.${encodePart({ ...chainClaims, ...claims })}.${signature}`
  const first = { act: undefined, par_hash: undefined }
  return [
    token(
      'splice-signature',
      "another token's signature under these claims",
      resigned({ sub: 'clinician' }),
      'chain_signature',
    ),
    token('truncation', 'the actor A is cut off', resigned(first), 'chain_signature'),
    token(
      'reorder',
      'two actors change places',
      resigned({ act: act(uris.agentR, uris.agentA) }),
      'chain_signature',
    ),
    token('extra-hop', 'R is inserted', resigned({ act: act(uris.agentA, uris.agentR) }), 'chain_signature'),
    token(
      'new-holder',
      'R writes itself in as holder',
      resigned({ aud: uris.agentR }),
      'chain_signature',
      uris.agentR,
    ),
    token(
      'signed-by-stranger',
      'our `kid`, somebody else’s key',
      forge(chainHeader, chainClaims, signer('stranger')),
      'chain_signature',
    ),
    token('empty-signature', 'nothing is signed', `${header}.${payload}.`, 'chain_malformed'),
    token('es256', 'the other algorithm that signs chains', es256, 'accepted'),
    token(
      'es256-zero-signature',
      'r = s = 0 (CVE-2022-21449)',
      `${es256.slice(0, es256.lastIndexOf('.'))}.${'A'.repeat(86)}`,
      'chain_signature',
    ),
  ]
}

function algorithms(): readonly Vector[] {
  const [key] = JSON.parse(readJwks('chain')).keys
  const nothing: Signer = () => Buffer.from('none')
  const cases: readonly (readonly [name: string, alg: string, why: string, sign: Signer])[] = [
    ['none', 'none', 'not signed at all', nothing],
    ['none-capital', 'None', 'not signed, and spelled to pass a filter', nothing],
    ['hs256', 'HS256', 'the public key taken for a shared secret', hmacSigner(key.x)],
    ['es256', 'ES256', "the algorithm of another key than the one that's named", signer('chain')],
    ['ed25519', 'Ed25519', 'another name for what this key does: one name is enough', signer('chain')],
  ]
  return cases.map(([name, alg, why, sign]) =>
    token(`alg-${name}`, why, forge({ ...chainHeader, alg }, chainClaims, sign), 'chain_signature'),
  )
}

function keyNames(): readonly Vector[] {
  const cases: readonly (readonly [name: string, why: string, kid: unknown, want: string])[] = [
    ['unknown', 'a key that nobody gave us', 'chain-9', 'chain_key_unknown'],
    ['path', 'a `kid` is no path', '../../etc/passwd', 'chain_key_unknown'],
    ['proto', 'a `kid` touches no prototype', '__proto__', 'chain_key_unknown'],
    ['query', 'a `kid` is no query', "' OR 1=1 --", 'chain_key_unknown'],
    ['long', 'a `kid` is short', 'k'.repeat(129), 'chain_malformed'],
    ['number', 'a `kid` is a text', 1, 'chain_malformed'],
    ['missing', 'no key is tried that is not named', undefined, 'chain_malformed'],
  ]
  return cases.map(([name, why, kid, want]) => withHeader(`kid-${name}`, why, { kid }, want))
}

function headerMembers(): readonly Vector[] {
  const stranger = JSON.parse(readJwks('stranger')).keys[0]
  const cases: readonly (readonly [name: string, why: string, members: object])[] = [
    ['jku', 'the token says where its keys are', { jku: 'https://evil.example/jwks.json' }],
    ['jwk', 'the token brings its own key', { jwk: stranger }],
    ['x5u', 'the token says where its certificate is', { x5u: 'https://evil.example/cert.pem' }],
    ['x5c', 'the token brings its own certificate', { x5c: ['AAAA'] }],
    ['zip', 'a small token that becomes large', { zip: 'DEF' }],
    ['crit', 'an extension that must be understood', { crit: ['exp'], exp: 1 }],
    ['b64', 'a payload that is not encoded (RFC 7797)', { b64: false }],
    ['unknown', 'only `alg`, `kid` and `typ`', { cty: 'JWT' }],
    ['typ-jwt', 'another kind of token by the same key', { typ: 'JWT' }],
    ['typ-missing', 'a token without a kind', { typ: undefined }],
    ['alg-missing', 'a token without an algorithm', { alg: undefined }],
  ]
  const twice = '{"alg":"EdDSA","kid":"chain-9","kid":"chain-1","typ":"actor-chain+jwt"}'
  return [
    ...cases.map(([name, why, members]) => withHeader(`header-${name}`, why, members, 'chain_malformed')),
    token(
      'header-duplicate',
      'one parser takes the first `kid`',
      forge(twice, chainClaims, signer('chain')),
      'chain_malformed',
    ),
  ]
}

function encodings(): readonly Vector[] {
  const malformed: readonly (readonly [name: string, why: string, text: string])[] = [
    ['empty', 'an empty header is a broken chain, not a missing one', ''],
    ['one-part', 'no JWS', 'clerk'],
    ['two-parts', 'the signature is missing', `${header}.${payload}`],
    ['four-parts', 'a part too many', `${genuine}.${signature}`],
    ['five-parts', 'a JWE', `${header}..${payload}.${payload}.${signature}`],
    [
      'json-serialization',
      'only the compact form',
      JSON.stringify({ payload, protected: header, signature }),
    ],
    ['padding', 'base64url has no padding here', `${genuine}==`],
    [
      'non-canonical',
      'the same signature in another spelling of the last character',
      `${genuine.slice(0, -1)}${next(genuine)}`,
    ],
    ['standard-base64', 'base64url has no `+` and `/`', genuine.replace(/\.[A-Za-z0-9_-]/, '.+')],
    ['leading-space', 'nothing is trimmed', ` ${genuine}`],
    ['trailing-newline', 'nothing is trimmed', `${genuine}\n`],
    ['bearer', 'no scheme', `Bearer ${genuine}`],
    ['joined', 'Envoy joins two header values by a comma', `${genuine},${genuine}`],
    [
      'invalid-utf8',
      'bytes that are no text',
      `${header}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.${signature}`,
    ],
  ]
  return [
    ...malformed.map(([name, why, text]) => token(`encoding-${name}`, why, text, 'chain_malformed')),
    toVector({
      name: 'chain-two-header-values',
      why: 'one genuine chain and a second header of the same name',
      want: 'chain_malformed',
      request: { headers: { 'actor-chain': [genuine, genuine] } },
    }),
    token('oversize-garbage', 'refused by its size alone', 'a'.repeat(4097), 'chain_too_large'),
  ]
}

function token(name: string, why: string, text: string, want: string, from: string = uris.agentD): Vector {
  return toVector({ name: `chain-${name}`, why, want, from, request: { headers: { 'actor-chain': [text] } } })
}

function withHeader(name: string, why: string, members: object, want: string): Vector {
  return token(name, why, forge({ ...chainHeader, ...members }, chainClaims, signer('chain')), want)
}

/** The character after a text's last one: it differs in bits that base64url drops. */
function next(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(text.slice(-1)) + 1)
}
