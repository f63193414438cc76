import { setTimeout as wait } from 'node:timers/promises'
import { StdoutCopy } from '../../audit/write/stdout-copy.ts'
import type { Report } from '../../base/model/event.ts'
import type { Config } from '../../config/config.ts'
import { createAcceptor } from '../../envoy/acceptor.ts'
import { createLogger } from '../../telemetry/logger.ts'
import { createMetrics, type Metrics } from '../../telemetry/metrics.ts'
import { createReport } from '../../telemetry/report.ts'
import { joinMetrics, primaryName } from '../../telemetry/worker-metrics.ts'
import { createAdminServer } from '../admin/admin-server.ts'
import type { App } from '../app.ts'
import { feedRequests, fetchFeeds } from '../provider-keys/open-feed.ts'
import { closeAll, drainGraceMs } from '../start-context.ts'
import { joinReadiness } from './joint-readiness.ts'
import { openSharedKeys } from './shared-keys.ts'
import { WorkerPool } from './worker-pool.ts'
import type { WorkerProgram } from './worker-process.ts'

/** The workers' program, and the configuration as it was read. */
export type WorkerSource = Pick<WorkerProgram, 'program' | 'file' | 'text'>

/** The time for a worker, beyond its drain, to close its log. */
const closingMs = 5000

/**
 * Starts all workers and accepts connections for them. Throws a `WorkerFailed`, the error of a port that cannot be
 * opened, or the reason of `stopping`, because a hanging start must react to a signal.
 */
export async function startWorkers(
  config: Config,
  source: WorkerSource,
  stopping: AbortSignal,
): Promise<App> {
  const closing: AsyncDisposable[] = []
  try {
    return await start(config, source, stopping, closing)
  } catch (cause) {
    await closeAll(closing)
    throw cause
  }
}

async function start(
  config: Config,
  source: WorkerSource,
  stopping: AbortSignal,
  closing: AsyncDisposable[],
): Promise<App> {
  const { report, metrics } = createObservers(config)
  const keys = await openSharedKeys(feedRequests(config.users), fetchFeeds(closing, report))
  const streams = openStreams(closing, report, metrics)
  const pool = new WorkerPool(config.workers, { ...source, keys, ...streams }, report)
  closing.push(pool)
  const state = { isDraining: false }
  const addresses = { listeners: [] as string[], admin: '' }
  const accepting: AsyncDisposable[] = []
  closing.push({ [Symbol.asyncDispose]: () => closeAll(accepting) })
  await pool.open(async () => {
    for (const [index, listener] of config.listeners.entries()) {
      const acceptor = await createAcceptor(listener, (socket) => pool.assign(index, socket))
      accepting.push(acceptor)
      addresses.listeners.push(acceptor.address)
      report({ kind: 'listening', what: 'ext_authz', address: acceptor.address })
    }
    const admin = await createAdminServer({ ...config.admin, ...toShown(pool, state, metrics), report })
    closing.push(admin)
    addresses.admin = admin.address
  }, stopping)
  return {
    addresses,
    failed: pool.failed,
    async drain(signal) {
      report({ kind: 'draining', signal })
      state.isDraining = true
      const drainMs = config.drainSeconds * 1000
      const drained = pool.drain(signal, drainMs + drainGraceMs + closingMs)
      // Envoy may still connect until it has seen NOT_SERVING.
      await wait(drainMs)
      await closeAll(accepting)
      await drained
    },
    [Symbol.asyncDispose]: () => closeAll(closing),
  }
}

function toShown(pool: WorkerPool, state: { readonly isDraining: boolean }, metrics: Metrics) {
  return {
    readiness: () =>
      joinReadiness(
        pool.slots.map(({ number, connections, shown, isSilent }) => ({
          worker: number,
          connections,
          readiness: shown?.readiness,
          isSilent,
        })),
        state.isDraining,
      ),
    jwks: () => pool.slots.find(({ shown }) => shown !== undefined)?.shown?.jwks ?? { keys: [] },
    async metricsText() {
      for (const { number, connections } of pool.slots) metrics.workerConnections(number, connections)
      const texts = await Promise.all(pool.slots.map((slot) => slot.measure()))
      return joinMetrics([await metrics.toText(), ...texts.flatMap((text) => text ?? [])])
    },
  }
}

function openStreams(
  closing: AsyncDisposable[],
  report: Report,
  metrics: Metrics,
): Pick<WorkerProgram, 'writeOut' | 'writeError'> {
  const out = new StdoutCopy(process.stdout, (cause) =>
    report({ kind: 'fault', where: 'audit_stdout', cause }),
  )
  const error = new StdoutCopy(process.stderr, metrics.logLineDropped)
  closing.push(out, error)
  return { writeOut: (lines) => out.write(lines), writeError: (lines) => error.write(lines) }
}

function createObservers({ log }: Config): { report: Report; metrics: Metrics } {
  const metrics = createMetrics(() => true, 0, primaryName)
  const logger = createLogger(log.level, metrics.logLineDropped, undefined, primaryName)
  return { metrics, report: createReport(logger, metrics) }
}
