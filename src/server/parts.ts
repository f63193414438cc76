import { join } from 'node:path'
import { type Pseudonymize, readPseudonyms } from '../audit/format/pseudonym.ts'
import { privateKeyFile, refuseLogKey } from '../audit/log/log-key.ts'
import { isInvalid } from '../base/model/invalid.ts'
import type { Config } from '../config/config.ts'
import type { Tracer } from '../telemetry/tracer.ts'
import { refuseAuditDirectory } from './audit-directory.ts'
import { type Credentials, openCredentials } from './credentials.ts'
import { type StartContext, StartError } from './start-context.ts'
import { type FollowedCertificates, followCertificates } from './tls/certificates.ts'
import { findExposedSecrets } from './tls/exposed-secrets.ts'
import { openTracing } from './tracing.ts'
import { warmUp, warmUpProofs } from './warm-up.ts'

/** Everything that serving reads before it writes, listens or decides. `config check` reads it with the same code. */
export type Parts = {
  readonly credentials: Credentials
  /** For each listener; `undefined` without TLS. */
  readonly certificates: readonly (FollowedCertificates | undefined)[]
  /** Replaces users' ids in records and traces; `undefined` if they have the ids. */
  readonly pseudonymize: Pseudonymize | undefined
  /** Traces checks; `undefined` unless configured. */
  readonly tracer: Tracer | undefined
  /** Secret files that every user of the machine can read. */
  readonly exposed: readonly string[]
}

/** Opens every part. Throws a `StartError` with the problems of all parts. */
export async function openParts(config: Config, context: StartContext): Promise<Parts> {
  const problems: string[] = []
  const attempt = async <T>(open: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await open()
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      problems.push(...error.problems)
      return undefined
    }
  }
  const credentials = await attempt(() => openCredentials(config, context))
  if (credentials !== undefined) {
    await attempt(() => warmUp(config, credentials.keys(), Date.now()))
    await attempt(() => warmUpProofs(credentials.keys(), credentials.prove))
  }
  const certificates = await Promise.all(
    config.listeners.map((_, index) => attempt(() => openCertificates(config, index, context))),
  )
  const pseudonymize = await attempt(() => openPseudonyms(config))
  await attempt(() => checkAudit(config))
  const tracer = await attempt(() => openTracing(config, context))
  if (problems.length > 0 || credentials === undefined) throw new StartError(problems)
  return { credentials, certificates, pseudonymize, tracer, exposed: await findExposedSecrets(config) }
}

async function openCertificates(
  { listeners, chain }: Config,
  index: number,
  { closing, followed, report, pollMs }: StartContext,
): Promise<FollowedCertificates | undefined> {
  const listener = listeners[index]
  if (listener?.tls === undefined) return undefined
  const { tls } = listener
  const name = listener.path !== undefined ? listener.path : `${listener.address}:${listener.port}`
  const { trustDomain } = chain
  const place = { key: `listeners.${index}.tls`, listener: name }
  const certificates = await followCertificates({ ...place, files: tls, trustDomain }, report, pollMs)
  closing.push(certificates.followed)
  followed.push(certificates.followed.poller)
  return certificates
}

function openPseudonyms({ audit }: Config): Pseudonymize | undefined {
  const pseudonymize = audit.pseudonyms === undefined ? undefined : readPseudonyms(audit.pseudonyms)
  if (!isInvalid(pseudonymize)) return pseudonymize
  throw new StartError([`\`audit.pseudonyms\`: ${pseudonymize.reason}`])
}

/** Checks that records could be written and signed; writes nothing. */
async function checkAudit({ audit }: Config): Promise<void> {
  const place = await refuseAuditDirectory(audit.directory)
  if (place !== undefined) throw new StartError([place])
  const key = refuseLogKey(audit.key ?? join(audit.directory, privateKeyFile))
  if (key !== undefined) throw new StartError([`\`audit.key\`: ${key}`])
}
