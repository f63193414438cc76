import { experimental, ServerCredentials } from '@grpc/grpc-js'
import type { CertificateSource } from './tls.ts'

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
