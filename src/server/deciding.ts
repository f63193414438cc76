import { setTimeout as wait } from 'node:timers/promises'
import type { AuditLog } from '../audit/write/audit-log.ts'
import type { Report } from '../base/model/event.ts'
import type { Config } from '../config/config.ts'
import { toJwks } from '../decision/chain/keys.ts'
import { defaultCallLimits } from '../envoy/limits.ts'
import { createSharedMemory } from '../envoy/memory.ts'
import type { Transport } from '../envoy/transport.ts'
import { createLogger } from '../telemetry/logger.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { createReport } from '../telemetry/report.ts'
import type { AdminOptions, Readiness } from './admin/admin-server.ts'
import { listen } from './listener.ts'
import { fetchFeeds, type OpenFeed } from './provider-keys/open-feed.ts'
import { readinessOf } from './readiness.ts'
import { openRuntime } from './runtime.ts'
import { closeAll, drainGraceMs, type StartContext, type Worker } from './start-context.ts'

/** The part of the process that decides, and the state that it exposes. */
export type Deciding = AsyncDisposable & {
  /** The addresses of its listeners, in the order of the configuration. */
  readonly addresses: readonly string[]
  readonly log: Pick<AuditLog, 'name' | 'nameBeside'>
  readonly shown: Pick<AdminOptions, 'readiness' | 'metricsText' | 'jwks' | 'report'>
  /** Reports NOT_SERVING, waits until Envoy has seen it, and finishes the calls in flight. */
  readonly drain: (signal: string) => Promise<void>
}

type DecideOptions = {
  readonly pollMs?: number | undefined
  readonly worker?: Worker | undefined
  readonly openFeed?: OpenFeed
  /** Called when readiness may have changed. */
  readonly onReadiness?: () => void
}

const defaultPollMs = 2000
const notYet: Readiness = { ready: false, reasons: ['starting'], notices: [] }

/** Opens everything but the admin port. Throws if a configured file or port cannot be used. */
export async function decide(config: Config, options: DecideOptions = {}): Promise<Deciding> {
  const closing: AsyncDisposable[] = []
  try {
    return await begin(config, closing, options)
  } catch (cause) {
    await closeAll(closing)
    throw cause
  }
}

async function begin(
  config: Config,
  closing: AsyncDisposable[],
  { pollMs = defaultPollMs, worker, openFeed, onReadiness = () => {} }: DecideOptions,
): Promise<Deciding> {
  const state = { isDraining: false, readiness: () => notYet }
  const { report, metrics } = createObservers(config, () => state.readiness().ready, worker)
  const context: StartContext = {
    closing,
    followed: [],
    report,
    pollMs,
    worker,
    openFeed: openFeed ?? fetchFeeds(closing, report),
  }
  const transports: Transport[] = []
  const setServing = () => {
    for (const transport of transports) transport.setServing(state.readiness().ready)
    onReadiness()
  }
  const runtime = await openRuntime(config, context, setServing)
  state.readiness = () => readinessOf(runtime, context.followed, state.isDraining)
  const memory = createSharedMemory(defaultCallLimits.maxTotalBytes)
  for (const [index, listener] of config.listeners.entries())
    transports.push(await listen(runtime, index, listener, context, memory, worker?.socketsFor(index)))
  setServing()
  // A full disk or a failed engine, and its recovery, must be noticed between requests too.
  const watch = setInterval(setServing, pollMs).unref()
  closing.push({ [Symbol.asyncDispose]: async () => clearInterval(watch) })
  return {
    addresses: transports.map(({ address }) => address),
    log: runtime.audit,
    shown: {
      readiness: () => state.readiness(),
      metricsText: metrics.toText,
      jwks: () => toJwks(runtime.credentials.keys().verifying),
      report,
    },
    async drain(signal) {
      report({ kind: 'draining', signal })
      state.isDraining = true
      setServing()
      await wait(config.drainSeconds * 1000)
      await Promise.all(transports.map((transport) => transport.drain(drainGraceMs)))
    },
    [Symbol.asyncDispose]: () => closeAll(closing),
  }
}

function createObservers(
  { observe, log }: Config,
  isReady: () => boolean,
  worker: Worker | undefined,
): { report: Report; metrics: Metrics } {
  const name = worker && String(worker.number)
  const metrics = createMetrics(isReady, observe?.untilMs, name)
  const logger = createLogger(log.level, metrics.logLineDropped, undefined, name)
  return { metrics, report: createReport(logger, metrics) }
}
