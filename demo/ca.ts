import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority, issueCertificate, type KeyPair } from './x509.ts'

/** Files of one certificate, as Envoy reads them. */
export type CertificateFiles = { readonly chain: string; readonly key: string }

/** A throwaway certificate authority: what istiod's CA is to a mesh. */
export type Ca = {
  readonly trustedCa: string
  /** Issues a certificate with these URI names and writes it as `<name>.crt` and `<name>.key`. */
  readonly issue: (name: string, uris: readonly string[]) => CertificateFiles
}

/** Creates a certificate authority that lives in a directory; `uris` are names of its own certificate. */
export function createCa(directory: string, trustDomain: string, uris: readonly string[] = []): Ca {
  mkdirSync(directory, { recursive: true })
  const authority = createAuthority(trustDomain, Date.now(), uris)
  const trustedCa = join(directory, 'ca.crt')
  writeFileSync(trustedCa, authority.certificate)
  return {
    trustedCa,
    issue: (name, uris) => writeKeyPair(directory, name, issueCertificate(authority, uris, Date.now())),
  }
}

function writeKeyPair(directory: string, name: string, pair: KeyPair): CertificateFiles {
  const files = { chain: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) }
  writeFileSync(files.chain, pair.certificate)
  writeFileSync(files.key, pair.key, { mode: 0o600 })
  return files
}
