/** PEM texts. With `clientCa` every client must present a certificate of that CA. */
export type Certificates = {
  readonly cert: Buffer
  readonly key: Buffer
  readonly clientCa: Buffer | undefined
}

/** Certificates that may be renewed at runtime. */
export type CertificateSource = {
  readonly current: () => Certificates
  /** Calls back whenever `current` changes; the result unsubscribes. */
  readonly onChange: (listener: () => void) => () => void
}

/** One name of Node's list. A value with a comma, a quote or a control character is a JSON string (CVE-2021-44532). */
const namePattern = /([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y

/**
 * Parses the URIs of Node's `subjectaltname`. A quoted value stays quoted, and an unparsable list is returned unchanged.
 * Neither can be read as a SPIFFE ID, and such a peer stays visible.
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
