import { Counter, Gauge, type Registry } from 'prom-client'
import { type ConnectionDrop, connectionDrops } from '../base/model/event.ts'

/** The primary's metrics of its workers; `worker` is the number. */
export type WorkerMetrics = {
  readonly workerEnded: (worker: number) => void
  readonly workerConnections: (worker: number, connections: number) => void
  readonly connectionDropped: (why: ConnectionDrop) => void
}

/** Adds the metrics about workers. */
export function createWorkerMetrics(registry: Registry): WorkerMetrics {
  const common = { labelNames: ['worker'], registers: [registry] }
  const ends = new Counter({
    ...common,
    name: 'waywarden_worker_ends_total',
    help: 'Workers that ended unexpectedly; each was restarted',
  })
  const connections = new Gauge({
    ...common,
    name: 'waywarden_worker_connections',
    help: 'Open connections of a worker, over all listeners',
  })
  const dropped = new Counter({
    name: 'waywarden_worker_connections_dropped_total',
    help: 'Connections that were closed right after accept because no worker was available, by reason',
    labelNames: ['why'],
    registers: [registry],
  })
  return {
    workerEnded: (worker) => ends.inc({ worker }),
    workerConnections(worker, count) {
      // Initialized to 0, because a rate does not see the first increment of a new series.
      ends.inc({ worker }, 0)
      for (const why of connectionDrops) dropped.inc({ why }, 0)
      connections.set({ worker }, count)
    },
    connectionDropped: (why) => dropped.inc({ why }),
  }
}

/** The name of the process that accepts connections for workers. */
export const primaryName = 'primary'

/** Removes metrics that only a deciding process has, because a zero of the primary would look like a fact. */
export function keepMetricsOfPrimary(registry: Registry): void {
  for (const { name } of registry.getMetricsAsArray())
    if (!ofPrimary.test(name)) registry.removeSingleMetric(name)
}

const ofPrimary = /^(?:process_|nodejs_|waywarden_(?:worker_|faults_|log_lines_))/

/** Joins the texts of several processes: all samples of a metric under one header. */
export function joinMetrics(texts: readonly string[]): string {
  const samplesOf = new Map<string, string[]>()
  for (const block of texts.flatMap((text) => text.trim().split('\n\n'))) {
    const [help, type, ...samples] = block.split('\n')
    const head = `${help}\n${type}`
    samplesOf.set(head, [...(samplesOf.get(head) ?? []), ...samples])
  }
  return `${[...samplesOf].map(([head, samples]) => [head, ...samples].join('\n')).join('\n\n')}\n`
}
