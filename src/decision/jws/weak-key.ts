import type { KeyObject } from 'node:crypto'

const minRsaBits = 2048

/**
 * The points of small order on edwards25519 (RFC 7748 §7), as little-endian y without the sign bit. Anybody can forge
 * signatures for such a public key.
 */
const smallOrder: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
])

/** Explains why signatures of a well-formed public key prove nothing. */
export function findWeakness(key: KeyObject): string | undefined {
  const { modulusLength: bits, publicExponent: exponent } = key.asymmetricKeyDetails ?? {}
  if (bits !== undefined && bits < minRsaBits)
    return `expected an RSA key of at least ${minRsaBits} bits, found ${bits}`
  // With exponent 1 a signature is the padded hash itself, which anybody can write.
  if (exponent !== undefined && (exponent < 3n || exponent % 2n === 0n))
    return `expected an RSA key with an odd exponent of at least 3, found ${exponent}`
  return key.asymmetricKeyType === 'ed25519' && isOfSmallOrder(key)
    ? 'expected an Ed25519 key that is no point of small order'
    : undefined
}

function isOfSmallOrder(key: KeyObject): boolean {
  const y = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
  y.writeUInt8(y.readUInt8(31) & 0x7f, 31)
  return smallOrder.has(y.toString('hex'))
}
