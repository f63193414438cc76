import { setTimeout as wait } from 'node:timers/promises'
import { createAdminServer, type Readiness } from '../admin/admin-server.ts'
import { toJwks } from '../chain/keys.ts'
import type { Config } from '../config/config.ts'
import type { Transport } from '../ext-authz/transport.ts'
import type { Report } from '../model/event.ts'
import { createLogger } from '../observe/logger.ts'
import { createMetrics, type Metrics } from '../observe/metrics.ts'
import { createReport } from '../observe/report.ts'
import { openHouse } from './house.ts'
import { listen } from './listener.ts'
import type { Opening } from './opening.ts'
import { readinessOf } from './readiness.ts'

/** A running Waywarden. */
export type App = AsyncDisposable & {
  /** What the ports turned out to be; listeners in the order of the configuration. */
  readonly addresses: { readonly listeners: readonly string[]; readonly admin: string }
  /** Says NOT_SERVING, waits until Envoy has heard it, and finishes what is in flight. */
  readonly drain: (signal: string) => Promise<void>
}

const defaultPollMs = 2000
const drainGraceMs = 5000
const notYet: Readiness = { ready: false, reasons: ['starting'], notices: [] }

/** Opens every room and begins to answer; throws when a file or port that the configuration names cannot be used. */
export async function startApp(config: Config, pollMs: number = defaultPollMs): Promise<App> {
  const closing: AsyncDisposable[] = []
  try {
    return await start(config, closing, pollMs)
  } catch (cause) {
    await close(closing)
    throw cause
  }
}

async function start(config: Config, closing: AsyncDisposable[], pollMs: number): Promise<App> {
  const state = { isDraining: false, readiness: () => notYet }
  const { report, metrics } = createObservers(config, () => state.readiness().ready)
  const opening: Opening = { closing, report, pollMs }
  const transports: Transport[] = []
  const setServing = () => {
    for (const transport of transports) transport.setServing(state.readiness().ready)
  }
  const house = await openHouse(config, opening, setServing)
  state.readiness = () => readinessOf(house, state.isDraining)
  for (const listener of config.listeners) transports.push(await listen(house, listener, opening))
  const admin = await createAdminServer({
    ...config.admin,
    readiness: () => state.readiness(),
    metricsText: metrics.toText,
    jwks: () => toJwks(house.credentials.keys().verifying),
    report,
  })
  closing.push(admin)
  setServing()
  // A full disk or a failed engine is found out between requests too, and so is its recovery.
  const watch = setInterval(setServing, pollMs).unref()
  closing.push({ [Symbol.asyncDispose]: async () => clearInterval(watch) })
  return {
    addresses: { listeners: transports.map(({ address }) => address), admin: admin.address },
    async drain(signal) {
      report({ kind: 'draining', signal })
      state.isDraining = true
      setServing()
      await wait(config.drainSeconds * 1000)
      await Promise.all(transports.map((transport) => transport.drain(drainGraceMs)))
    },
    [Symbol.asyncDispose]: () => close(closing),
  }
}

function createObservers(config: Config, isReady: () => boolean): { report: Report; metrics: Metrics } {
  const metrics = createMetrics(isReady, config.observe?.untilMs)
  const logger = createLogger(config.log.level, metrics.logLineDropped)
  return { metrics, report: createReport(logger, metrics) }
}

async function close(closing: readonly AsyncDisposable[]): Promise<void> {
  for (const part of closing.toReversed()) await part[Symbol.asyncDispose]()
}
