import { readJwks, readKey } from '../../test/support/forge.ts'
import { keycloak, presentOf } from './providers.ts'
import type { Vector } from './vector.ts'

const [good] = JSON.parse(readJwks('hospital-idp')).keys
const [ed25519] = JSON.parse(readJwks('partner-idp')).keys
const [p256] = JSON.parse(readJwks('chain-es256')).keys
const named = (kid: string) => ['token_invalid', kid] as const

/** Keys that verify nothing here, each beside the one that signed. Throwaway, or no keys at all. */
const odd: Readonly<Record<string, unknown>> = {
  ed448: {
    kid: 'ed448',
    kty: 'OKP',
    crv: 'Ed448',
    use: 'sig',
    x: 'ClciQ2zBqRfJQ09HIksfmv4u6K1W1Cb1IDFsv530HB5SfyaYCshRisNJ-7cv7-dpVZDE5rYGXQKA',
  },
  'no-kid': { ...ed25519, kid: undefined },
  'kid-number': { ...ed25519, kid: 7 },
  'long-kid': { ...ed25519, kid: 'k'.repeat(129) },
  rsa1024: { ...good, kid: 'rsa1024', n: good.n.slice(0, 171) },
  'exponent-1': { ...good, kid: 'exponent-1', e: 'AQ' },
  'small-order': { ...ed25519, kid: 'small-order', x: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
  'off-curve': { ...p256, kid: 'off-curve', y: p256.x },
  'unknown-kty': { kid: 'unknown-kty', kty: 'AKP', alg: 'ML-DSA-65', pub: 'AAAA' },
  p384: {
    kid: 'p384',
    kty: 'EC',
    crv: 'P-384',
    alg: 'ES384',
    x: '9Mo_1E41HaUdAPGE9tr5ZKSGzvEibfK0ns3By9-cXeDJknep11Uw-U-dxWL4d1xR',
    y: '9KKwmZVCVLocEadcuQ0XcOVqdJ6rI1AQA20K87eYMi7x84fktoNt-pD9imrPqIQG',
  },
  rs384: { ...good, kid: 'rs384', alg: 'RS384' },
  hs256: { ...good, kid: 'hs256', alg: 'HS256' },
  contradiction: { ...good, kid: 'contradiction', alg: 'ES256' },
  encryption: { ...good, kid: 'encryption', alg: 'RSA-OAEP', use: 'enc' },
  'encryption-same-kid': { ...good, alg: 'RSA-OAEP', use: 'enc' },
  svid: { kty: 'EC', crv: 'P-256', use: 'x509-svid', x: p256.x, y: p256.y, x5c: ['MIIB'] },
  operations: { ...ed25519, kid: 'operations', key_ops: ['encrypt'] },
  secret: { kid: 'secret', kty: 'oct', k: 'AAAA', alg: 'HS256' },
  'secret-same-kid': { kid: good.kid, kty: 'oct', k: 'AAAA', alg: 'HS256' },
  private: JSON.parse(readKey('stranger')),
  twice: good,
  text: 'hospital-1',
  nothing: null,
  list: [],
  float: { ...ed25519, kid: 'float', nbf: 1_790_000_000.5, x: '!' },
}

/** Key sets of providers: what cannot be used costs no key that can, and is never used itself. */
export function providerKeyVectors(): readonly Vector[] {
  return [
    ...Object.entries(odd).map(([name, key]) =>
      presentOf(keycloak, `keys-beside-${name}`, 'one key costs no other', 'accepted', {
        user: { jwks: { keys: [key, good] } },
      }),
    ),
    presentOf(keycloak, 'keys-beside-all', 'many keys cost no other', 'accepted', {
      user: { jwks: { keys: [...Object.values(odd), good], made: 1.5 } },
    }),
    presentOf(keycloak, 'keys-kid-twice', 'which of the two is meant?', named(good.kid), {
      user: { jwks: { keys: [good, { ...p256, kid: good.kid }, ed25519] } },
    }),
    presentOf(keycloak, 'keys-kid-twice-first', 'the order says nothing', named(good.kid), {
      user: { jwks: { keys: [{ ...p256, kid: good.kid }, good, ed25519] } },
    }),
    presentOf(keycloak, 'keys-exposed', 'anybody can sign with it', named(good.kid), {
      user: { jwks: { keys: [p256, JSON.parse(readKey('hospital-idp'))] } },
    }),
    presentOf(keycloak, 'keys-exposed-beside', 'its public half stands in the set, too', named(good.kid), {
      user: { jwks: { keys: [good, p256, JSON.parse(readKey('hospital-idp'))] } },
    }),
    presentOf(
      keycloak,
      'keys-exposed-under-another-kid',
      'a name does not make it another key',
      named(good.kid),
      {
        user: { jwks: { keys: [good, p256, { ...JSON.parse(readKey('hospital-idp')), kid: 'other' }] } },
      },
    ),
    presentOf(
      keycloak,
      'keys-algorithm-passed-over',
      '`RS384` is said to be what is not taken',
      named('RS384'),
      {
        header: { alg: 'RS384' },
        user: { jwks: { keys: [{ ...good, alg: 'RS384' }, p256] } },
      },
    ),
    presentOf(keycloak, 'keys-encryption', 'a key for encryption signs nothing', named(good.kid), {
      user: { jwks: { keys: [{ ...good, use: 'enc', alg: undefined }, p256] } },
    }),
    presentOf(keycloak, 'keys-other-algorithm', 'a key has one algorithm', named('RS256'), {
      user: { jwks: { keys: [{ ...good, alg: 'PS256' }] } },
    }),
    ...(['EdDSA', 'Ed25519'] as const).flatMap((ofKey) =>
      (['EdDSA', 'Ed25519'] as const).map((ofToken) =>
        presentOf(keycloak, `keys-${ofKey}-for-${ofToken}`, 'RFC 9864 names the curve', 'accepted', {
          header: { alg: ofToken, kid: ed25519.kid },
          signer: 'partner-idp',
          user: { jwks: { keys: [{ ...ed25519, alg: ofKey }] } },
        }),
      ),
    ),
    presentOf(keycloak, 'keys-ed25519-for-rsa', 'a name makes no key of it', named(good.kid), {
      header: { alg: 'Ed25519' },
    }),
  ]
}
