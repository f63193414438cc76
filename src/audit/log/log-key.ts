import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { explainFileError } from '../../base/follow/file-error.ts'
import { isAbsent } from '../../base/model/fault.ts'
import { type Invalid, invalid } from '../../base/model/invalid.ts'

/** The key pair that signs a log's checkpoints. */
export type LogKey = { readonly privateKey: KeyObject; readonly publicKey: KeyObject }

/** The public key beside the log, for verifiers. */
export const publicKeyFile = 'log-key.pub'
/** The default private key file in the audit directory. */
export const privateKeyFile = 'log-key'

/** The key that signed this log is gone. A new key would look like a forger's. */
export class LogKeyGone extends Error {
  override readonly name = 'LogKeyGone'
  readonly code = 'log_key_gone'
}

/**
 * Reads the key. For a log that never had one it creates one (Ed25519, mode 0600). The public key is written beside the
 * log. Throws if that fails, and `LogKeyGone` if the key is gone.
 */
export function openLogKey(directory: string, file: string | undefined): LogKey {
  const path = file ?? join(directory, privateKeyFile)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const shownPath = join(directory, publicKeyFile)
  const shown = readIfThere(shownPath)
  const kept = readIfThere(path)
  if (kept === undefined && shown !== undefined)
    throw new LogKeyGone(
      `\`${path}\` is gone, and \`${shownPath}\` shows that a key signed this log: put it back, or move \`${publicKeyFile}\` away to begin with a new key`,
    )
  const privateKey = createPrivateKey(kept ?? create(path))
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new TypeError(`\`${path}\`: expected an Ed25519 key, found ${privateKey.asymmetricKeyType}`)
  }
  const publicKey = createPublicKey(privateKey)
  showPublicKey(directory, publicKey)
  return { privateKey, publicKey }
}

/** Explains why an existing key cannot sign; a missing key will be created. */
export function refuseLogKey(path: string): string | undefined {
  try {
    const { asymmetricKeyType } = createPrivateKey(readFileSync(path, 'utf8'))
    return asymmetricKeyType === 'ed25519'
      ? undefined
      : `${path}: expected an Ed25519 key, found ${asymmetricKeyType}`
  } catch (cause) {
    if (isAbsent(cause)) return undefined
    const isFile = cause instanceof Error && 'code' in cause && /^E[A-Z]+$/.test(String(cause.code))
    return isFile
      ? `${path}: cannot be read: ${explainFileError(path, cause)}`
      : `${path}: expected a private key in PEM`
  }
}

/** Parses a public key: PEM (SPKI), or a verifier key of C2SP signed-note. */
export function parsePublicKey(text: string): KeyObject | Invalid {
  try {
    const key = text.startsWith('-----BEGIN PUBLIC KEY-----')
      ? createPublicKey(text)
      : fromVerifierKey(text.trim())
    if (key?.asymmetricKeyType === 'ed25519') return key
  } catch {
    // A text that is no key is reported like an unknown key.
  }
  return invalid('key: expected an Ed25519 public key, as PEM or as `name+id+base64`')
}

/**
 * Writes the public key beside the log. Only a difference is written, so that a full disk cannot destroy the existing
 * file.
 */
export function showPublicKey(directory: string, publicKey: KeyObject): void {
  const path = join(directory, publicKeyFile)
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  if (readIfThere(path) !== pem) writeFileSync(path, pem)
}

/** Returns `undefined` only if the file does not exist. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (isAbsent(cause)) return undefined
    throw cause
  }
}

function create(path: string): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // `wx` refuses a link that was placed there.
  writeFileSync(path, pem, { mode: 0o600, flag: 'wx' })
  return pem
}

function fromVerifierKey(text: string): KeyObject | undefined {
  const typed = Buffer.from(/^[^\s+]+\+[0-9a-f]{8}\+([A-Za-z0-9+/]+=*)$/.exec(text)?.[1] ?? '', 'base64')
  if (typed.length !== 33 || typed[0] !== 1) return undefined
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: typed.subarray(1).toString('base64url') }
  return createPublicKey({ key: jwk, format: 'jwk' })
}
