/** PEM texts. With `clientCa` every client must show a certificate that it signed. */
export type Certificates = {
  readonly cert: Buffer
  readonly key: Buffer
  readonly clientCa: Buffer | undefined
}

/** Certificates that may be renewed while we listen. */
export type CertificateSource = {
  readonly current: () => Certificates
  /** Calls back whenever `current` has become another; the result ends that. */
  readonly onChange: (listener: () => void) => () => void
}

/** One name of Node's list. A value with a comma, a quote or a control character stands there as a JSON string (CVE-2021-44532). */
const namePattern = /([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y

/**
 * Parses the URIs out of Node's `subjectaltname`. A quoted value stays quoted and a list that cannot be split is returned
 * as it is: neither can be taken for a SPIFFE ID, and a peer that has one stays visible.
 */
export function parseUriSans(subjectAltName: string): readonly string[] {
  const uris: string[] = []
  namePattern.lastIndex = 0
  for (let end = 0; end < subjectAltName.length; end = namePattern.lastIndex) {
    const [, type, value] = namePattern.exec(subjectAltName) ?? []
    if (type === undefined || value === undefined) return [`malformed:${subjectAltName}`]
    if (type === 'URI') uris.push(value)
  }
  return uris
}
