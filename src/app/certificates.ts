import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { Listener } from '../config/config.ts'
import type { CertificateSource, Certificates } from '../ext-authz/tls.ts'
import type { Report } from '../model/event.ts'
import { type FollowedFiles, followFiles, type Refusal } from './followed-files.ts'

type TlsFiles = Exclude<Listener['tls'], undefined>

/** A listener's certificates, read again when their files are renewed; throws a `StartError`. */
export async function followCertificates(
  files: TlsFiles,
  report: Report,
  pollMs: number,
): Promise<{ readonly source: CertificateSource; readonly followed: FollowedFiles<Certificates> }> {
  const listeners = new Set<() => void>()
  const { cert, key, clientCa } = files
  const followed = await followFiles({
    paths: [cert, key, ...(clientCa === undefined ? [] : [clientCa])],
    read: () => readCertificates(files),
    pollMs,
    onRead: () => {
      report({ kind: 'source_loaded', what: 'certificates', names: [cert], entries: 1 })
      for (const listener of listeners) listener()
    },
    onRefused: (problems) => report({ kind: 'source_refused', what: 'certificates', problems }),
  })
  const source: CertificateSource = {
    current: () => followed.current,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return { source, followed }
}

/** Reads the files as one: a certificate and a key that do not belong together, as in the midst of a renewal, are refused. */
async function readCertificates(files: TlsFiles): Promise<Certificates | Refusal> {
  try {
    const [cert, key, clientCa] = await Promise.all([
      readFile(files.cert),
      readFile(files.key),
      files.clientCa === undefined ? undefined : readFile(files.clientCa),
    ])
    createSecureContext({ cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) })
    return { cert, key, clientCa }
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    return {
      kind: 'refusal',
      problems: [`${files.cert}, ${files.key}: expected a certificate and its key: ${detail}`],
    }
  }
}
