import { hash, type KeyObject, sign, verify } from 'node:crypto'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { type Hash, parseHash, toBase64 } from './merkle.ts'

/** A log's statement about itself: its first `size` lines hash to `root` (C2SP tlog-checkpoint). */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Hash }

const ed25519 = 1
const publicKeyBytes = 32
const signaturePattern = /^\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})$/

/** Returns a signed note (C2SP signed-note). The key name is the log's origin. */
export function signCheckpoint(checkpoint: Checkpoint, privateKey: KeyObject, publicKey: KeyObject): string {
  const text = toText(checkpoint)
  const signature = Buffer.concat([
    keyId(checkpoint.origin, publicKey),
    sign(null, Buffer.from(text), privateKey),
  ])
  return `${text}\n\u2014 ${checkpoint.origin} ${signature.toString('base64')}\n`
}

/** Returns the checkpoint if one of the keys signed it under its log's name. Other signatures (witnesses) are skipped. */
export function verifyCheckpoint(note: string, publicKeys: readonly KeyObject[]): Checkpoint | Invalid {
  const checkpoint = parseCheckpoint(note)
  if (isInvalid(checkpoint)) return checkpoint
  const [text, signatures] = splitNote(note)
  for (const line of signatures) {
    const [, name, encoded = ''] = signaturePattern.exec(line) ?? []
    if (name !== checkpoint.origin) continue
    const bytes = Buffer.from(encoded, 'base64')
    const key = publicKeys.find((known) => keyId(name, known).equals(bytes.subarray(0, 4)))
    if (key === undefined) continue
    return verify(null, Buffer.from(text), key, bytes.subarray(4))
      ? checkpoint
      : invalid(`checkpoint of ${checkpoint.size}: its signature is not by the key that it names`)
  }
  return invalid(`checkpoint of ${checkpoint.size}: signed by none of the given keys`)
}

/** Parses a checkpoint without verifying its signatures. */
export function parseCheckpoint(note: string): Checkpoint | Invalid {
  const [text] = splitNote(note)
  const [origin = '', digits = '', encoded = ''] = text.split('\n')
  const [size, root] = [Number(digits), parseHash(encoded)]
  const isSize = /^(0|[1-9]\d{0,15})$/.test(digits) && Number.isSafeInteger(size)
  return origin !== '' && isSize && root !== undefined
    ? { origin, size, root }
    : invalid('checkpoint: expected an origin, a size and a root hash, one a line')
}

/** The verifier key of C2SP signed-note: `<name>+<key id>+<base64 of type and key>`. */
export function formatVerifierKey(name: string, publicKey: KeyObject): string {
  const typed = Buffer.concat([Buffer.of(ed25519), rawPublicKey(publicKey)])
  return `${name}+${keyId(name, publicKey).toString('hex')}+${typed.toString('base64')}`
}

/** The raw key of RFC 8032: the last 32 bytes of its SPKI form. */
export function rawPublicKey(publicKey: KeyObject): Buffer {
  const known = rawKeys.get(publicKey)
  if (known !== undefined) return known
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-publicKeyBytes)
  rawKeys.set(publicKey, raw)
  return raw
}

/** Exporting a key takes longer than signing with it, and each checkpoint names its key. */
const rawKeys = new WeakMap<KeyObject, Buffer>()

function toText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`
}

function splitNote(note: string): readonly [text: string, signatures: readonly string[]] {
  const end = note.lastIndexOf('\n\n')
  return end === -1
    ? ['', []]
    : [
        note.slice(0, end + 1),
        note
          .slice(end + 2)
          .trimEnd()
          .split('\n'),
      ]
}

function keyId(name: string, publicKey: KeyObject): Buffer {
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519), rawPublicKey(publicKey)])
  return hash('sha256', named, 'buffer').subarray(0, 4)
}
