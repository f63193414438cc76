import { X509Certificate } from 'node:crypto'

/** How long what a listener proves, or proves others by, is good for; milliseconds since the epoch. */
export type Lifetime = {
  readonly what: 'cert' | 'clientCa'
  readonly notBeforeMs: number
  readonly expiresMs: number
}

/** The part of a certificate's life that is left when its operator is told. */
const noticedShare = 1 / 3
const dayMs = 86_400_000

/** The certificates in a PEM text, whatever stands between them. */
export function splitPem(pem: string): readonly string[] {
  return pem.match(/-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----[^-]*-----END \1-----/g) ?? []
}

/** The life of a certificate with its intermediates: it ends with the first of them that ends. */
export function lifetimeOfChain(pem: string): Lifetime | undefined {
  const [earliest] = spansOf(pem).sort((one, other) => one.expiresMs - other.expiresMs)
  return earliest && { what: 'cert', ...earliest }
}

/** The life of a bundle of CAs: while a CA is replaced, the old one stands beside the new one, which is what counts. */
export function lifetimeOfBundle(pem: string): Lifetime | undefined {
  const latest = spansOf(pem).sort((one, other) => other.expiresMs - one.expiresMs)[0]
  return latest && { what: 'clientCa', ...latest }
}

/** When a third of the life is left. */
export function renewalDueMs({ notBeforeMs, expiresMs }: Lifetime): number {
  return expiresMs - (expiresMs - notBeforeMs) * noticedShare
}

/** What an operator should know of a certificate's life now; `undefined` while more than a third of it is left. */
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
      // What cannot be read is refused where it is used.
      return []
    }
  })
}
