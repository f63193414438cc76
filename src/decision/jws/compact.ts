import { hash } from 'node:crypto'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { quote } from '../../base/text/quote.ts'
import { type JsonObject, parseStrictJson, type Reading } from './json.ts'

/** A compact JWS with exactly one reading. Nothing in it is proven before `verifySignature`. */
export type ParsedJws = {
  readonly kind: 'jws'
  readonly protectedHeader: ProtectedHeader
  readonly claims: JsonObject
  readonly signingInput: string
  readonly signature: string
  /** base64url SHA-256 of the signing input. No re-encoding of the token can change it. */
  readonly digest: string
}

/** The header and the claims of a token, without the text that its bearer presents. */
export type TokenForm = Pick<ParsedJws, 'kind' | 'protectedHeader' | 'claims'>

/** `typ` is missing only if a provider omitted it. */
export type ProtectedHeader = {
  readonly alg: string
  readonly kid: string
  readonly typ: string | undefined
}

/** Explains why a text is not an acceptable JWS. */
export type JwsFault = {
  readonly kind: 'jws-fault'
  readonly fault: 'too_large' | 'malformed'
  readonly reason: string
}

export type CompactJwsOptions = {
  readonly maxBytes: number
  /** The accepted media types (explicit typing, RFC 8725 §3.11). */
  readonly typ: readonly string[]
  /**
   * `ours`: the header has exactly `alg`, `kid` and `typ`, as Waywarden writes them. `provider`: `typ` may be missing, is
   * compared as a media type, and other members are allowed.
   */
  readonly reading: Reading
}

const maxKidLength = 128
const ourMembers: ReadonlySet<string> = new Set(['alg', 'kid', 'typ'])
/**
 * Header members that change the signed content, demand unsupported processing, or mark another kind of token (`jwk`: a
 * DPoP proof). `jku`, `x5u`, `x5c` and `x5t` also name keys. They are never read, because only `kid` chooses a key.
 */
const harmfulMembers: ReadonlySet<string> = new Set(['crit', 'b64', 'zip', 'jwk'])
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const base64urlPattern = /^[A-Za-z0-9_-]+$/

/** Parses a JWS in compact serialization (RFC 7515 §7.1). Sizes are checked before decoding. */
export function parseCompactJws(text: string, options: CompactJwsOptions): ParsedJws | JwsFault {
  if (text.length > options.maxBytes) {
    return fault('too_large', `expected at most ${options.maxBytes} bytes, found ${text.length}`)
  }
  const [header = '', payload = '', signature = '', ...rest] = text.split('.')
  if (rest.length > 0 || signature === '') return fault('malformed', 'expected three parts')
  if (decodeBase64url(signature) === undefined) return fault('malformed', 'signature: expected base64url')
  const protectedHeader = parseHeader(header, options)
  if (isInvalid(protectedHeader)) return fault('malformed', `header: ${protectedHeader.reason}`)
  const claims = parsePart(payload, options.reading)
  if (isInvalid(claims)) return fault('malformed', `claims: ${claims.reason}`)
  const signingInput = `${header}.${payload}`
  const digest = hash('sha256', signingInput, 'base64url')
  return { kind: 'jws', protectedHeader, claims, signingInput, signature, digest }
}

function parseHeader(part: string, { typ: types, reading }: CompactJwsOptions): ProtectedHeader | Invalid {
  const header = parsePart(part, reading)
  if (isInvalid(header)) return header
  for (const name of header.keys()) {
    const isRefused = reading === 'ours' ? !ourMembers.has(name) : harmfulMembers.has(name)
    if (isRefused) return invalid(`found the member ${quote(name)}`)
  }
  const alg = header.get('alg')
  const kid = header.get('kid')
  const typ = header.get('typ')
  if (typeof alg !== 'string') return invalid('expected `alg`')
  if (typeof kid !== 'string' || kid === '' || kid.length > maxKidLength)
    return invalid('expected a short `kid`')
  if (typ === undefined && reading === 'provider') return { alg, kid, typ }
  if (typeof typ !== 'string' || !types.some((type) => isSameType(type, typ, reading)))
    return invalid(`expected \`typ\` to be ${types.map(quote).join(' or ')}, found ${quote(typ)}`)
  return { alg, kid, typ }
}

/** Media types ignore case, and `application/` may be omitted (RFC 7515 §4.1.9). */
function isSameType(type: string, found: string, reading: Reading): boolean {
  if (reading === 'ours') return found === type
  return found.toLowerCase().replace(/^application\//, '') === type.toLowerCase()
}

function parsePart(part: string, reading: Reading): JsonObject | Invalid {
  const bytes = decodeBase64url(part)
  if (bytes === undefined) return invalid('expected base64url')
  try {
    return parseStrictJson(utf8.decode(bytes), reading)
  } catch {
    return invalid('expected UTF-8')
  }
}

/**
 * Accepts only the canonical spelling: no padding, and no leftover bits in the last character. Otherwise one signature
 * would verify under several texts, and a key derived from the text could be bypassed.
 */
function decodeBase64url(part: string): Uint8Array | undefined {
  if (!base64urlPattern.test(part)) return undefined
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

function fault(kind: JwsFault['fault'], reason: string): JwsFault {
  return { kind: 'jws-fault', fault: kind, reason }
}
