import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { createAdminServer, type Readiness } from '../admin/admin-server.ts'
import { type AuditLog, AuditUnavailable, openAuditLog } from '../audit/audit-log.ts'
import { toRecord } from '../audit/record.ts'
import { keepRevision } from '../audit/revision-store.ts'
import { toJwks } from '../chain/keys.ts'
import { type CheckDeps, type Checker, createChecker } from '../check/check.ts'
import type { Findings } from '../check/line.ts'
import type { Config, Listener } from '../config/config.ts'
import { createGrpcTransport } from '../ext-authz/grpc-js-server.ts'
import { createCallHandler } from '../ext-authz/handler.ts'
import type { Transport } from '../ext-authz/transport.ts'
import { deny } from '../model/decision.ts'
import type { Report } from '../model/event.ts'
import { createLogger } from '../observe/logger.ts'
import { createMetrics, type Metrics } from '../observe/metrics.ts'
import { createReport } from '../observe/report.ts'
import type { Revision } from '../revision/revision.ts'
import { openRevisionSource, type RevisionSource } from '../revision/revision-source.ts'
import { followCertificates } from './certificates.ts'
import { type Credentials, openCredentials } from './credentials.ts'
import { createLineDeps } from './line-deps.ts'
import { warmUp } from './warm-up.ts'

/** A running Waywarden. */
export type App = AsyncDisposable & {
  /** What the ports turned out to be; listeners in the order of the configuration. */
  readonly addresses: { readonly listeners: readonly string[]; readonly admin: string }
  /** Says NOT_SERVING, waits until Envoy has heard it, and finishes what is in flight. */
  readonly drain: (signal: string) => Promise<void>
}

const defaultPollMs = 2000
const drainGraceMs = 5000

/** What has been opened so far, closed in the reverse order. */
type Open = { readonly closing: AsyncDisposable[] }

type House = {
  readonly config: Config
  readonly credentials: Credentials
  readonly revisions: RevisionSource
  readonly audit: AuditLog
  readonly report: Report
}

/** Opens every room and begins to answer; throws when a file or port that the configuration names cannot be used. */
export async function startApp(config: Config, pollMs: number = defaultPollMs): Promise<App> {
  const open: Open = { closing: [] }
  try {
    return await start(config, open, pollMs)
  } catch (cause) {
    await close(open)
    throw cause
  }
}

async function start(config: Config, open: Open, pollMs: number): Promise<App> {
  const state = { isDraining: false, readiness: (): Readiness => notYet }
  const { report, metrics } = createObservers(config, () => state.readiness().ready)
  const transports: Transport[] = []
  const setServing = () => {
    for (const transport of transports) transport.setServing(state.readiness().ready)
  }
  const house = await openHouse(config, open, pollMs, report, setServing)
  state.readiness = () => readinessOf(house, state.isDraining)
  for (const listener of config.listeners) {
    transports.push(await listen(house, listener, open, pollMs))
  }
  const admin = await createAdminServer({
    ...config.admin,
    readiness: () => state.readiness(),
    metricsText: metrics.toText,
    jwks: () => toJwks(house.credentials.keys().verifying),
    report,
  })
  open.closing.push(admin)
  setServing()
  // A full disk or a failed engine is found out between requests too, and so is its recovery.
  const watch = setInterval(setServing, pollMs).unref()
  open.closing.push({ [Symbol.asyncDispose]: async () => clearInterval(watch) })
  return {
    addresses: { listeners: transports.map(({ address }) => address), admin: admin.address },
    async drain(signal) {
      report({ kind: 'draining', signal })
      state.isDraining = true
      setServing()
      await wait(config.drainSeconds * 1000)
      await Promise.all(transports.map((transport) => transport.drain(drainGraceMs)))
    },
    [Symbol.asyncDispose]: () => close(open),
  }
}

const notYet: Readiness = { ready: false, reasons: ['starting'], notices: [] }

function createObservers(config: Config, isReady: () => boolean): { report: Report; metrics: Metrics } {
  const metrics = createMetrics(isReady)
  const logger = createLogger(config.log.level, metrics.logLineDropped)
  return { metrics, report: createReport(logger, metrics) }
}

async function openHouse(
  config: Config,
  open: Open,
  pollMs: number,
  report: Report,
  onServed: () => void,
): Promise<House> {
  const credentials = await openCredentials(config, open.closing, report, pollMs)
  await warmUp(config, credentials.keys(), Date.now())
  const { directory } = config.audit
  const audit = openAuditLog({ ...config.audit, origin: `${hostname()}-${process.pid}`, report })
  open.closing.push(audit)
  const revisions = await openRevisionSource({
    directory: config.policy.directory,
    load: { hopLifetimeMs: config.chain.hopLifetimeSeconds * 1000, maxRemembered: config.cache.decisions },
    pollMs,
    keep: ({ id, files }) => keepRevision(directory, id, files),
    onServed,
    report,
  })
  open.closing.push(revisions)
  return { config, credentials, revisions, audit, report }
}

async function listen(house: House, listener: Listener, open: Open, pollMs: number): Promise<Transport> {
  const { config, report } = house
  const { check, refuse } = createListenerChecker(house, listener)
  const handler = createCallHandler({ check, refuse, nowMs: Date.now, budgetMs: config.deadlineMs, report })
  const certificates = listener.tls && (await followCertificates(listener.tls, report, pollMs))
  if (certificates !== undefined) open.closing.push(certificates.followed)
  const transport = await createGrpcTransport({ ...listener, tls: certificates?.source }, handler, report)
  open.closing.push(transport)
  return transport
}

function createListenerChecker(house: House, listener: Listener): Checker {
  const { config, credentials, revisions, audit, report } = house
  const { header } = config.chain
  const { forwardAuthorization, tokenCopies } = config.ingress
  return createChecker({
    ...createLineDeps(config, listener, credentials),
    headers: { chain: header, userToken: forwardAuthorization ? [] : ['authorization', ...tokenCopies] },
    revision: () => revisions.current,
    record: createRecorder(audit),
    report,
    nowMs: Date.now,
    elapsedMicros: () => performance.now() * 1000,
    createDecisionId: randomUUID,
    withinDeadline,
    maxInFlight: config.maxInFlight,
  })
}

function createRecorder(audit: AuditLog): CheckDeps['record'] {
  return (parts) => {
    try {
      audit.append(toRecord(parts))
      return true
    } catch (cause) {
      // The log has told the operator; anything else is a fault of ours, and refused as one.
      if (cause instanceof AuditUnavailable) return false
      throw cause
    }
  }
}

/** Settles once; work that comes too late has neither effect nor record. */
function withinDeadline(work: Promise<Findings>, deadlineMs: number): Promise<Findings> {
  return new Promise((resolve, reject) => {
    const late = () => resolve({ decision: deny('deadline_exceeded', 'no decision in time') })
    const timer = setTimeout(late, Math.max(0, deadlineMs - Date.now()))
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function readinessOf({ config, credentials, revisions, audit }: House, isDraining: boolean): Readiness {
  const { current, problems } = revisions
  const reasons = [
    ...(isDraining ? ['draining'] : []),
    ...(current === undefined ? ['no policy revision serves', ...problems] : []),
    ...(current?.isReady() === false ? ['the policy engine is being replaced'] : []),
    ...(audit.isAvailable() ? [] : ['the audit log cannot be written']),
  ]
  const plaintext = config.listeners.filter((listener) => listener.plaintext !== undefined)
  const notices = [
    ...observeNotices(config, current),
    ...(current === undefined
      ? []
      : problems.map((problem) => `the policy directory is refused: ${problem}`)),
    ...credentials.problems().map((problem) => `not in force: ${problem}`),
    ...plaintext.map(
      ({ address, port }) => `${address}:${port} takes plaintext; the mesh's L4 policy must guard it`,
    ),
  ]
  return { ready: reasons.length === 0, reasons, notices }
}

function observeNotices({ observe }: Config, revision: Revision | undefined): readonly string[] {
  if (observe === undefined) return []
  const day = new Date(observe.untilMs).toISOString().slice(0, 10)
  const whom = observe.services?.join(', ') ?? 'every service'
  const isOver = Date.now() >= observe.untilMs
  const strangers = observe.services?.filter((name) => revision?.catalog.byName.has(name) === false) ?? []
  return [
    isOver ? `observing ended on ${day}: all is enforced` : `NOT ENFORCED until ${day}: ${whom}`,
    ...strangers.map((name) => `observe.services: the catalog has no service \`${name}\``),
  ]
}

async function close({ closing }: Open): Promise<void> {
  for (const part of closing.toReversed()) await part[Symbol.asyncDispose]()
}
