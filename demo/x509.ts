import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A certificate and its private key, both PEM. */
export type KeyPair = { readonly certificate: string; readonly key: string }

/** An issuer: a name and a private key. */
export type Authority = KeyPair & { readonly name: string; readonly privateKey: KeyObject }

const oid = {
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  commonName: [0x55, 0x04, 0x03],
  basicConstraints: [0x55, 0x1d, 0x13],
  keyUsage: [0x55, 0x1d, 0x0f],
  subjectAltName: [0x55, 0x1d, 0x11],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  serverAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
  clientAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02],
}

const tag = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, text: 0x0c, time: 0x17 }
const sequence = 0x30
const set = 0x31
const dayMs = 86_400_000

/** Creates a self-signed certificate authority (RFC 5280) for a trust domain; SPIRE's carry its SPIFFE ID as a URI, too. */
export function createAuthority(name: string, nowMs: number, uris: readonly string[] = []): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const extensions = [
    extension(oid.basicConstraints, true, der(sequence, der(tag.boolean, [0xff]))),
    extension(oid.keyUsage, true, der(tag.bits, [0x01, 0x06])),
    ...(uris.length === 0 ? [] : [extension(oid.subjectAltName, false, toNames(uris))]),
  ]
  const certificate = createCertificate(
    { issuer: name, subject: name, publicKey, extensions, nowMs },
    privateKey,
  )
  return { name, privateKey, certificate, key: toPem(privateKey) }
}

/** Issues an X.509-SVID (SPIFFE X509-SVID §2 to §4): a leaf whose only name is its URI. It lives a day. */
export function issueCertificate(authority: Authority, uris: readonly string[], nowMs: number): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const usages = [oid.serverAuth, oid.clientAuth].map((usage) => der(tag.oid, usage))
  const extensions = [
    extension(oid.basicConstraints, true, der(sequence)),
    extension(oid.keyUsage, true, der(tag.bits, [0x07, 0x80])),
    extension(oid.extendedKeyUsage, false, der(sequence, ...usages)),
    extension(oid.subjectAltName, true, toNames(uris)),
  ]
  const fields = { issuer: authority.name, subject: undefined, publicKey, extensions, nowMs }
  return { certificate: createCertificate(fields, authority.privateKey), key: toPem(privateKey) }
}

function toNames(uris: readonly string[]): Buffer {
  const uriTag = 0x86
  return der(sequence, ...uris.map((uri) => der(uriTag, Buffer.from(uri))))
}

type Fields = {
  readonly issuer: string
  readonly subject: string | undefined
  readonly publicKey: KeyObject
  readonly extensions: readonly Buffer[]
  readonly nowMs: number
}

function createCertificate(fields: Fields, signer: KeyObject): string {
  const algorithm = der(sequence, der(tag.oid, oid.ecdsaWithSha256))
  const versionThree = der(0xa0, der(tag.integer, [2]))
  const serial = der(tag.integer, Buffer.concat([Buffer.from([0x01]), randomBytes(15)]))
  const validity = der(sequence, time(fields.nowMs - dayMs), time(fields.nowMs + dayMs))
  const body = der(
    sequence,
    versionThree,
    serial,
    algorithm,
    distinguishedName(fields.issuer),
    validity,
    distinguishedName(fields.subject),
    fields.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(sequence, ...fields.extensions)),
  )
  const signature = der(tag.bits, [0], sign('sha256', body, signer))
  const base64 = der(sequence, body, algorithm, signature).toString('base64')
  const lines = base64.match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function distinguishedName(name: string | undefined): Buffer {
  if (name === undefined) return der(sequence)
  const attribute = der(sequence, der(tag.oid, oid.commonName), der(tag.text, Buffer.from(name)))
  return der(sequence, der(set, attribute))
}

function extension(id: readonly number[], isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(tag.boolean, [0xff])] : []
  return der(sequence, der(tag.oid, id), ...critical, der(tag.octets, value))
}

/** UTCTime, as RFC 5280 §4.1.2.5.1 wants it until 2049. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')
  return der(tag.time, Buffer.from(digits.slice(2)))
}

/** Tag, length, content (X.690 §8.1). */
function der(type: number, ...parts: readonly (Buffer | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)))
  if (content.length < 128) return Buffer.concat([Buffer.from([type, content.length]), content])
  const bytes = content.length.toString(16)
  const length = Buffer.from(bytes.padStart(bytes.length + (bytes.length % 2), '0'), 'hex')
  return Buffer.concat([Buffer.from([type, 0x80 | length.length]), length, content])
}

function toPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
