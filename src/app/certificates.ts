import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Listener } from '../config/config.ts'
import type { CertificateSource, Certificates } from '../ext-authz/tls.ts'
import { type Contents, type FollowedFiles, followFiles, type Refusal } from '../follow/followed-files.ts'
import { reportAs } from '../follow/poller.ts'
import type { Report } from '../model/event.ts'
import { describeCause } from '../model/fault.ts'
import { StartError } from './opening.ts'

type TlsFiles = Exclude<Listener['tls'], undefined>

/** A listener's certificates, read again when their files are renewed; throws a `StartError`. */
export async function followCertificates(
  files: TlsFiles,
  report: Report,
  pollMs: number,
): Promise<{ readonly source: CertificateSource; readonly followed: FollowedFiles<Certificates> }> {
  const listeners = new Set<() => void>()
  const { cert, key, clientCa } = files
  const opened = await followFiles({
    paths: [cert, key, ...(clientCa === undefined ? [] : [clientCa])],
    parse: (contents) => parseCertificates(files, contents),
    pollMs,
    onRead: () => {
      report({ kind: 'source_loaded', what: 'certificates', names: [cert], entries: 1 })
      for (const listener of listeners) listener()
    },
    onNews: reportAs('certificates', report),
  })
  if (opened.kind === 'refusal') throw new StartError(opened.problems)
  const followed = opened.files
  const source: CertificateSource = {
    current: () => followed.current,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return { source, followed }
}

/** Takes the files as one: a certificate and a key that do not belong together, as in the middle of a renewal, are refused. */
function parseCertificates(files: TlsFiles, contents: Contents): Certificates | Refusal {
  const [cert, key] = [contents.get(files.cert), contents.get(files.key)]
  const clientCa = files.clientCa === undefined ? undefined : contents.get(files.clientCa)
  try {
    if (cert === undefined || key === undefined) throw new TypeError('one of them is missing')
    // An empty file is no error for TLS: it would admit no client at all.
    if (clientCa !== undefined) new X509Certificate(clientCa)
    createSecureContext({ cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) })
    return { cert, key, clientCa }
  } catch (cause) {
    return {
      kind: 'refusal',
      problems: [`${files.cert}, ${files.key}: expected a certificate and its key: ${describeCause(cause)}`],
    }
  }
}
