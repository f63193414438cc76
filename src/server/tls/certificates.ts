import { createSecureContext } from 'node:tls'
import { type Contents, type FollowedFiles, followFiles } from '../../base/follow/followed-files.ts'
import { reportAs } from '../../base/follow/poller.ts'
import type { Report } from '../../base/model/event.ts'
import { describeCause } from '../../base/model/fault.ts'
import { isProblems, type Problems } from '../../base/model/problems.ts'
import type { TrustDomain } from '../../base/model/spiffe-id.ts'
import type { Listener } from '../../config/config.ts'
import type { CertificateSource, Certificates } from '../../envoy/tls.ts'
import { StartError } from '../start-context.ts'
import { type Lifetime, lifetimeOfBundle, lifetimeOfChain, renewalDueMs } from './certificate-lifetimes.ts'
import { refuseClientCa } from './client-ca.ts'

type TlsFiles = Exclude<Listener['tls'], undefined>

/** The listener of the certificates, and the trust domain of its clients. */
export type CertificatePlace = {
  /** The configuration key of the files, such as `listeners.0.tls`. */
  readonly key: string
  /** The listener's address; a label of metrics. */
  readonly listener: string
  readonly files: TlsFiles
  readonly trustDomain: TrustDomain
}

/** A listener's certificates, which follow their files. */
export type FollowedCertificates = {
  readonly source: CertificateSource
  readonly followed: FollowedFiles<Certificates>
  /** The certificates in force, each with its file. */
  readonly lifetimes: () => readonly { readonly file: string; readonly lifetime: Lifetime }[]
}

/** Reads a listener's certificates, and again when their files are renewed. Throws a `StartError`. */
export async function followCertificates(
  place: CertificatePlace,
  report: Report,
  pollMs: number,
): Promise<FollowedCertificates> {
  const listeners = new Set<() => void>()
  const { cert, key, clientCa } = place.files
  const members = new Map([
    [cert, 'cert'],
    [key, 'key'],
    ...(clientCa === undefined ? [] : [[clientCa, 'clientCa'] as const]),
  ])
  const opened = await followFiles({
    paths: [...members.keys()],
    nameOf: (path) => `\`${place.key}.${members.get(path)}\`: ${path}`,
    parse: (contents) => parseCertificates(place, contents),
    pollMs,
    onRead: (certificates) => {
      report({ kind: 'source_loaded', what: 'certificates', names: [cert], entries: 1 })
      for (const { lifetime } of lifetimesOf(place.files, certificates)) {
        const { what, expiresMs } = lifetime
        const renewalDue = renewalDueMs(lifetime)
        report({
          kind: 'certificate_read',
          listener: place.listener,
          what,
          expiresMs,
          renewalDueMs: renewalDue,
        })
      }
      for (const listener of listeners) listener()
    },
    onNews: reportAs('certificates', report),
  })
  if (isProblems(opened)) throw new StartError(opened.problems)
  const followed = opened.files
  const source: CertificateSource = {
    current: () => followed.current,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return { source, followed, lifetimes: () => lifetimesOf(place.files, followed.current) }
}

function lifetimesOf(
  files: TlsFiles,
  { cert, clientCa }: Certificates,
): readonly { readonly file: string; readonly lifetime: Lifetime }[] {
  const ofChain = lifetimeOfChain(cert.toString('latin1'))
  const ofBundle = clientCa && lifetimeOfBundle(clientCa.toString('latin1'))
  return [
    ...(ofChain === undefined ? [] : [{ file: files.cert, lifetime: ofChain }]),
    ...(ofBundle === undefined ? [] : [{ file: files.clientCa ?? '', lifetime: ofBundle }]),
  ]
}

/**
 * Parses the files as one unit. A certificate and a key that do not match, as in the middle of a renewal, are refused.
 */
function parseCertificates(
  { key: name, files, trustDomain }: CertificatePlace,
  contents: Contents,
): Certificates | Problems<string> {
  const [cert, key] = [contents.get(files.cert), contents.get(files.key)]
  const clientCa = files.clientCa === undefined ? undefined : contents.get(files.clientCa)
  // Node.js accepts an empty bundle, which would admit no client, and CAs of any trust domain.
  const refusals = clientCa === undefined ? [] : refuseClientCa(clientCa.toString('latin1'), trustDomain)
  if (refusals.length > 0) {
    const problems = refusals.map((problem) => `\`${name}.clientCa\`: ${files.clientCa}: ${problem}`)
    return { kind: 'problems', problems }
  }
  try {
    if (cert === undefined || key === undefined) throw new TypeError('one of them is missing')
    createSecureContext({ cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) })
    return { cert, key, clientCa }
  } catch (cause) {
    return {
      kind: 'problems',
      problems: [
        `\`${name}\`: ${files.cert}, ${files.key}: expected a certificate and its key: ${describeCause(cause)}`,
      ],
    }
  }
}
