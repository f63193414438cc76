import { X509Certificate } from 'node:crypto'

/** The validity of a listener's certificate or CA bundle, in milliseconds since the epoch. */
export type Lifetime = {
  readonly what: 'cert' | 'clientCa'
  readonly notBeforeMs: number
  readonly expiresMs: number
}

/** The remaining share of a certificate's lifetime at which the operator is notified. */
const noticedShare = 1 / 3
const dayMs = 86_400_000

/** Returns the certificates of a PEM text; other text between them is ignored. */
export function splitPem(pem: string): readonly string[] {
  return pem.match(/-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[^-]*-----END \1-----/g) ?? []
}

/** Returns the lifetime of a certificate chain: it ends when the first of its certificates ends. */
export function lifetimeOfChain(pem: string): Lifetime | undefined {
  const [earliest] = spansOf(pem).sort((one, other) => one.expiresMs - other.expiresMs)
  return earliest && { what: 'cert', ...earliest }
}

/**
 * Returns the lifetime of a bundle of CAs. During the replacement of a CA the bundle has the old and the new one, and the
 * new one counts.
 */
export function lifetimeOfBundle(pem: string): Lifetime | undefined {
  const latest = spansOf(pem).sort((one, other) => other.expiresMs - one.expiresMs)[0]
  return latest && { what: 'clientCa', ...latest }
}

/** The time when a third of the lifetime is left. */
export function renewalDueMs({ notBeforeMs, expiresMs }: Lifetime): number {
  return expiresMs - (expiresMs - notBeforeMs) * noticedShare
}

/** Returns the notice about a certificate's lifetime; `undefined` while more than a third is left. */
export function noticeLifetime(lifetime: Lifetime, file: string, nowMs: number): string | undefined {
  const { what, notBeforeMs, expiresMs } = lifetime
  const until = new Date(expiresMs).toISOString().replace(/:\d\d\.\d+Z$/, 'Z')
  const consequence =
    what === 'cert' ? 'Envoy then refuses the connection' : 'no waypoint can then prove itself'
  if (nowMs < notBeforeMs)
    return `${file}: it begins to be valid at ${new Date(notBeforeMs).toISOString()}; is the clock right?`
  if (nowMs >= expiresMs) return `${file}: EXPIRED at ${until}; renew it`
  if (nowMs < renewalDueMs(lifetime)) return undefined
  const leftMs = expiresMs - nowMs
  const left =
    leftMs > 2 * dayMs ? `${Math.floor(leftMs / dayMs)} days` : `${Math.floor(leftMs / 3_600_000)} h`
  return `${file}: expires at ${until}, in ${left}; renew it: ${consequence}`
}

type Span = Omit<Lifetime, 'what'>

function spansOf(pem: string): Span[] {
  return splitPem(pem).flatMap((part) => {
    try {
      const { validFrom, validTo } = new X509Certificate(part)
      const span = { notBeforeMs: Date.parse(validFrom), expiresMs: Date.parse(validTo) }
      return Number.isNaN(span.notBeforeMs) || Number.isNaN(span.expiresMs) ? [] : [span]
    } catch {
      // An unreadable file is refused where it is used.
      return []
    }
  })
}
