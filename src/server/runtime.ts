import { hostname } from 'node:os'
import { join } from 'node:path'
import { privateKeyFile } from '../audit/log/log-key.ts'
import { workerLog } from '../audit/log/worker-logs.ts'
import type { AuditLog } from '../audit/write/audit-log.ts'
import type { AuditLogOptions } from '../audit/write/audit-log-options.ts'
import { openAuditLog } from '../audit/write/open-audit-log.ts'
import { storeRevision } from '../audit/write/revision-store.ts'
import { candidateEntry } from '../authoring/tests/candidate-entry.ts'
import type { Report } from '../base/model/event.ts'
import type { Config } from '../config/config.ts'
import { configWarnings } from '../config/remarks.ts'
import { type Admission, createAdmission, lookMs } from '../decision/check/admission.ts'
import type { CheckShell } from '../decision/check/check.ts'
import type { Revision } from '../policy/revision/revision.ts'
import type { RevisionSource } from '../policy/revision/revision-source.ts'
import { followRevision } from './followed-revision.ts'
import { openParts, type Parts } from './parts.ts'
import { createPolicySource } from './policy-source.ts'
import { createRecorder } from './recorder.ts'
import { openRecovery, type Recovering } from './recovering.ts'
import { createShadow, type Shadow } from './shadow/shadow.ts'
import { type Loading, openShadowRevision } from './shadow/shadow-revision.ts'
import type { StartContext } from './start-context.ts'

/** Everything behind the ports: decisions, credentials, records. */
export type Runtime = Parts & {
  readonly config: Config
  /** Shared by all listeners; `undefined` unless configured. */
  readonly recovery: Recovering | undefined
  readonly admission: Admission
  readonly revisions: RevisionSource
  /** The serving revision. Its catalog contains the resolved addresses. */
  readonly revision: () => Revision | undefined
  /** Judges a share of the decisions again; `undefined` unless configured. */
  readonly shadow: Shadow | undefined
  readonly audit: AuditLog
  readonly record: CheckShell['record']
  readonly report: Report
}

/** The part of the deadline that a queue may delay checks before it is shortened. */
const tolerableDelay = 1 / 3

/** Opens everything behind the ports. Throws if a configured file cannot be used. */
export async function openRuntime(
  config: Config,
  context: StartContext,
  onServed: () => void,
): Promise<Runtime> {
  const { closing, report } = context
  const warnings = configWarnings(config)
  if (warnings.length > 0) report({ kind: 'config_warned', warnings })
  const parts = await openParts(config, context)
  const { credentials, certificates, pseudonymize, tracer, exposed } = parts
  const origin = `${hostname()}-${process.pid}`
  const authority = new URL(config.chain.issuer).host
  const audit = openAuditLog({ ...auditOf(config, context), pseudonymize, origin, authority, report })
  closing.push(audit)
  const loading = loadingOf(config)
  const revisions = await openRevisions(config, context, loading, onServed)
  const recovery = openRecovery(config, revisions.revision, Date.now())
  const shadow = await openShadow(config, context, loading, audit)
  const admission = createAdmission({
    maxInFlight: config.maxInFlight,
    targetMs: config.deadlineMs * tolerableDelay,
    elapsedMs: () => performance.now(),
    utilization: createUtilization(),
  })
  const looking = setInterval(admission.look, lookMs).unref()
  closing.push({ [Symbol.asyncDispose]: async () => clearInterval(looking) })
  const record = createRecorder(audit, config.audit)
  const rooms = { ...revisions, shadow, audit, record, pseudonymize, tracer, certificates, exposed }
  return { config, credentials, recovery, admission, ...rooms, report }
}

/** Node counts waiting for events as idle, and also waiting for a processor to handle them. */
function createUtilization(): () => number {
  let since = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, since)
    since = now
    return utilization
  }
}

/** Each worker has its own log. All logs are signed with one key and share the configured size. */
function auditOf(
  { audit, workers }: Config,
  { worker }: StartContext,
): Config['audit'] & Pick<AuditLogOptions, 'worker'> {
  if (worker === undefined) return audit
  const { ageMs, bytes } = audit.retention
  return {
    ...audit,
    directory: workerLog(audit.directory, worker.number),
    worker: worker.number,
    key: audit.key ?? join(audit.directory, privateKeyFile),
    retention: { ageMs, bytes: bytes && Math.ceil(bytes / workers) },
  }
}

function loadingOf({ chain, cache, policy, audit }: Config): Loading {
  return {
    load: { hopLifetimeMs: chain.hopLifetimeSeconds * 1000, maxRemembered: cache.decisions },
    prover: candidateEntry,
    runsTests: policy.tests === 'required',
    keep: ({ id, files }) => storeRevision(audit.directory, id, files),
  }
}

async function openShadow(
  config: Config,
  context: StartContext,
  loading: Loading,
  audit: AuditLog,
): Promise<Shadow | undefined> {
  const { shadow } = config.policy
  const revision = await openShadowRevision(config, context, loading)
  return shadow && revision && createShadow(shadow, revision, audit, context)
}

async function openRevisions(
  config: Config,
  context: StartContext,
  loading: Loading,
  onServed: () => void,
): Promise<Pick<Runtime, 'revisions' | 'revision'>> {
  const { report } = context
  const { maxStalenessMs } = config.policy
  const source = createPolicySource(config, context)
  const followed = await followRevision({ source, maxStalenessMs, ...loading, onServed, report }, context)
  await followed.start()
  context.followed.push(followed.names)
  return { revisions: followed.source, revision: followed.current }
}
