import { readFile } from 'node:fs/promises'
import { ServerCredentials } from '@grpc/grpc-js'
import { TransportError } from './transport.ts'

/** Paths of PEM files. With `clientCa` every client must show a certificate that it signed. */
export type TlsFiles = { readonly cert: string; readonly key: string; readonly clientCa?: string | undefined }

/** Reads the listener's certificate; without TLS files it speaks plaintext. */
export async function readServerCredentials(files: TlsFiles | undefined): Promise<ServerCredentials> {
  if (files === undefined) return ServerCredentials.createInsecure()
  const { cert, key, clientCa } = files
  try {
    const [certChain, privateKey, roots] = await Promise.all([
      readFile(cert),
      readFile(key),
      clientCa === undefined ? null : readFile(clientCa),
    ])
    return ServerCredentials.createSsl(
      roots,
      [{ cert_chain: certChain, private_key: privateKey }],
      roots !== null,
    )
  } catch (cause) {
    throw new TransportError(`expected readable PEM files \`${cert}\` and \`${key}\``, {
      cause,
      code: 'tls_unreadable',
    })
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
