import { experimental, ServerCredentials } from '@grpc/grpc-js'

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

/** Credentials that follow their source: new connections get what is current. Without a source, plaintext. */
export function createServerCredentials(source: CertificateSource | undefined): ServerCredentials {
  if (source === undefined) return ServerCredentials.createInsecure()
  const provider = createProvider(source)
  const provesClients = source.current().clientCa !== undefined
  // grpc-js 1.14 names its first two parameters the wrong way round: it takes the server's identity first.
  return experimental.createCertificateProviderServerCredentials(
    provider,
    provesClients ? provider : null,
    provesClients,
  )
}

function createProvider({ current, onChange }: CertificateSource): experimental.CertificateProvider {
  const ending = new Map<unknown, () => void>()
  const tell = (key: unknown, listener: () => void) => {
    ending.set(key, onChange(listener))
    process.nextTick(listener)
  }
  const end = (key: unknown) => {
    ending.get(key)?.()
    ending.delete(key)
  }
  return {
    addIdentityCertificateListener(listener) {
      tell(listener, () => listener({ certificate: current().cert, privateKey: current().key }))
    },
    addCaCertificateListener(listener) {
      tell(listener, () => {
        const { clientCa } = current()
        listener(clientCa === undefined ? null : { caCertificate: clientCa })
      })
    },
    removeIdentityCertificateListener: end,
    removeCaCertificateListener: end,
  }
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
