import { constants, generateKeyPairSync, sign } from 'node:crypto'
import { forge } from './forge.ts'
import { accessClaims } from './hospital.ts'

/** A token and its public key, made by Node's own functions. */
export function signAs(alg: 'RS256' | 'PS256' | 'EdDSA' | 'Ed25519'): {
  readonly token: string
  readonly jwk: object
} {
  const isRsa = alg === 'RS256' || alg === 'PS256'
  const { publicKey, privateKey } = isRsa
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ed25519')
  const padding = alg === 'PS256' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  const options = isRsa ? { padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {}
  const token = forge({ alg, kid: 'one', typ: 'at+jwt' }, accessClaims, (input) =>
    sign(isRsa ? 'sha256' : null, Buffer.from(input), { key: privateKey, ...options }),
  )
  return { token, jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'one', alg, use: 'sig' } }
}
