import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import {
  type ConnectionFault,
  connectionFaults,
  type ExportLoss,
  type FollowedSource,
  followedSources,
} from '../base/model/event.ts'
import { type CertificateMetrics, createCertificateMetrics } from './certificate-metrics.ts'
import { type CountCheck, createCheckMetrics } from './check-metrics.ts'
import { createIssuerMetrics, type IssuerMetrics } from './issuer-metrics.ts'
import { createShadowMetrics, type ShadowMetrics } from './shadow-metrics.ts'
import {
  createWorkerMetrics,
  keepMetricsOfPrimary,
  primaryName,
  type WorkerMetrics,
} from './worker-metrics.ts'

/** The metrics for dashboards. Labels have few values: codes, places in the code, the serving revision; never an id. */
export type Metrics = ShadowMetrics &
  CertificateMetrics &
  WorkerMetrics &
  IssuerMetrics & {
    readonly checked: CountCheck
    readonly fault: (where: string) => void
    readonly policiesFailed: (count: number) => void
    readonly logLineDropped: () => void
    readonly connectionEnded: (why: ConnectionFault) => void
    readonly revisionServed: (policyRevision: string, policies: number, services: number) => void
    /** When the policy source last confirmed the serving revision, and whether it is pinned. */
    readonly revisionConfirmed: (confirmedAtMs: number, isPinned: boolean) => void
    readonly reloadRefused: (what: 'revision' | FollowedSource) => void
    /** A poll of a source failed; `isFirst` if the previous poll succeeded. */
    readonly sourceFailed: (what: FollowedSource, isFirst: boolean) => void
    readonly sourceRecovered: (what: FollowedSource) => void
    readonly sourceLoaded: (what: FollowedSource, names: readonly string[], entries: number) => void
    readonly exported: (what: string, endpoint: string, items: number) => void
    readonly exportFailed: (what: string, endpoint: string) => void
    readonly exportLost: (what: string, endpoint: string, loss: ExportLoss, items: number) => void
    /** Returns the metrics in Prometheus' text format 0.0.4. */
    readonly toText: () => Promise<string>
  }

/**
 * Creates a separate registry; `isReady` is called at every scrape. `observingUntilMs`: when everything will be enforced.
 * `worker` is a label of every sample: each process counts for itself, from 0 after a restart. The primary measures only
 * itself and its workers.
 */
export function createMetrics(isReady: () => boolean, observingUntilMs = 0, worker?: string): Metrics {
  const registry = new Registry()
  if (worker !== undefined) registry.setDefaultLabels({ worker })
  collectDefaultMetrics({ register: registry })
  const served = servedMetrics(registry)
  new Gauge({
    name: 'waywarden_ready',
    help: 'Whether this process can decide: 1 ready, 0 not',
    registers: [registry],
    collect() {
      this.set(isReady() ? 1 : 0)
    },
  })
  const observingUntil = new Gauge({
    name: 'waywarden_observing_until_timestamp_seconds',
    help: 'When observing ends and refusals are enforced, in seconds since the epoch; 0 when not observing',
    registers: [registry],
  })
  observingUntil.set(observingUntilMs / 1000)
  const metrics = {
    checked: createCheckMetrics(registry),
    ...faultMetrics(registry),
    ...connectionMetrics(registry),
    ...createCertificateMetrics(registry),
    ...served,
    ...followedMetrics(registry),
    ...confirmedMetrics(registry),
    ...exportMetrics(registry),
    ...createIssuerMetrics(registry),
    ...createShadowMetrics(registry),
    ...createWorkerMetrics(registry),
    toText: () => registry.metrics(),
  }
  if (worker === primaryName) keepMetricsOfPrimary(registry)
  return metrics
}

function faultMetrics(registry: Registry): Pick<Metrics, 'fault' | 'policiesFailed' | 'logLineDropped'> {
  const registers = [registry]
  const faults = new Counter({
    name: 'waywarden_faults_total',
    help: 'Internal faults, by the place in Waywarden that caught them',
    labelNames: ['where'],
    registers,
  })
  const failed = new Counter({
    name: 'waywarden_policy_errors_total',
    help: 'Policies with evaluation errors: such a permit grants nothing, such a forbid denies',
    registers,
  })
  const dropped = new Counter({
    name: 'waywarden_log_lines_dropped_total',
    help: 'Log lines dropped because the reader of stderr was too slow',
    registers,
  })
  return {
    fault: (where) => faults.inc({ where }),
    policiesFailed: (count) => failed.inc(count),
    logLineDropped: () => dropped.inc(),
  }
}

function connectionMetrics(registry: Registry): Pick<Metrics, 'connectionEnded'> {
  const ended = new Counter({
    name: 'waywarden_connections_ended_total',
    help: 'Connections that Waywarden closed because of a fault or to make room, by reason',
    labelNames: ['why'],
    registers: [registry],
  })
  // Initialized to 0, because a rate does not see the first increment of a new series.
  for (const why of connectionFaults) ended.inc({ why }, 0)
  return { connectionEnded: (why) => ended.inc({ why }) }
}

function confirmedMetrics(registry: Registry): Pick<Metrics, 'revisionConfirmed'> {
  const registers = [registry]
  const confirmed = new Gauge({
    name: 'waywarden_policy_confirmed_timestamp_seconds',
    help: 'When the policy source last confirmed the serving revision, in seconds since the epoch; 0 before that',
    registers,
  })
  const pinned = new Gauge({
    name: 'waywarden_policy_pinned',
    help: 'Whether the policy source is pinned to an earlier revision: 1 pinned, 0 not',
    registers,
  })
  return {
    revisionConfirmed: (confirmedAtMs, isPinned) => {
      confirmed.set(confirmedAtMs / 1000)
      pinned.set(isPinned ? 1 : 0)
    },
  }
}

function exportMetrics(registry: Registry): Pick<Metrics, 'exported' | 'exportFailed' | 'exportLost'> {
  const registers = [registry]
  const sent = new Counter({
    name: 'waywarden_export_items_total',
    help: 'Spans that an endpoint accepted',
    labelNames: ['what', 'endpoint'],
    registers,
  })
  const failures = new Counter({
    name: 'waywarden_export_failures_total',
    help: 'Failed attempts to send to an endpoint; most are retried',
    labelNames: ['what', 'endpoint'],
    registers,
  })
  const lost = new Counter({
    name: 'waywarden_export_lost_total',
    help: 'Spans that did not reach an endpoint, by reason',
    labelNames: ['what', 'endpoint', 'loss'],
    registers,
  })
  return {
    exported: (what, endpoint, items) => sent.inc({ what, endpoint }, items),
    exportFailed: (what, endpoint) => failures.inc({ what, endpoint }),
    exportLost: (what, endpoint, loss, items) => lost.inc({ what, endpoint, loss }, items),
  }
}

function servedMetrics(registry: Registry): Pick<Metrics, 'revisionServed' | 'sourceLoaded'> {
  const registers = [registry]
  const revision = new Gauge({
    name: 'waywarden_policy_revision_info',
    help: 'The serving policy revision, always 1',
    labelNames: ['revision'],
    registers,
  })
  const policies = new Gauge({
    name: 'waywarden_policies',
    help: 'Policies in the serving revision',
    registers,
  })
  const services = new Gauge({
    name: 'waywarden_services',
    help: 'Services in the serving revision',
    registers,
  })
  const entries = new Gauge({
    name: 'waywarden_revocations',
    help: 'Revocation entries in force',
    registers,
  })
  const signingKey = new Gauge({
    name: 'waywarden_signing_key_info',
    help: 'The key that signs chains, always 1; replicas must agree on it',
    labelNames: ['kid'],
    registers,
  })
  return {
    revisionServed: (policyRevision, policyCount, serviceCount) => {
      revision.reset()
      revision.set({ revision: policyRevision }, 1)
      policies.set(policyCount)
      services.set(serviceCount)
    },
    sourceLoaded: (what, names, count) => {
      if (what === 'revocations') entries.set(count)
      if (what !== 'keys') return
      signingKey.reset()
      for (const kid of names) signingKey.set({ kid }, 1)
    },
  }
}

function followedMetrics(
  registry: Registry,
): Pick<Metrics, 'reloadRefused' | 'sourceFailed' | 'sourceRecovered'> {
  const registers = [registry]
  const refused = new Counter({
    name: 'waywarden_reloads_refused_total',
    help: 'Reloads refused because of their content; the last good content stays in force',
    labelNames: ['what'],
    registers,
  })
  const failures = new Counter({
    name: 'waywarden_reloads_failed_total',
    help: 'Failed polls of a source (unreachable, unreadable); the next poll tries again',
    labelNames: ['what'],
    registers,
  })
  const failing = new Gauge({
    name: 'waywarden_sources_failing',
    help: 'Sources whose last poll failed: 1 failed, 0 not; the last good content stays in force',
    labelNames: ['what'],
    registers,
  })
  // Initialized to 0, because a rate does not see the first increment of a new series.
  refused.inc({ what: 'revision' }, 0)
  for (const what of followedSources) {
    refused.inc({ what }, 0)
    failures.inc({ what }, 0)
    failing.set({ what }, 0)
  }
  return {
    reloadRefused: (what) => refused.inc({ what }),
    sourceFailed: (what, isFirst) => {
      failures.inc({ what })
      if (isFirst) failing.inc({ what })
    },
    sourceRecovered: (what) => failing.dec({ what }),
  }
}
