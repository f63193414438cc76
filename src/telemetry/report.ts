import type { Event, Report, ShadowEvent } from '../base/model/event.ts'
import { bound, boundAll, describe } from './bounded-text.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'

/** Turns events into log lines with constant messages, and into metrics. */
export function createReport(logger: Logger, metrics: Metrics): Report {
  return (event) => {
    try {
      tell(event, logger, metrics)
    } catch {
      // Reporting must never change a decision, so a line or a sample is lost instead.
      metrics.logLineDropped()
    }
  }
}

function tell(event: Event, logger: Logger, metrics: Metrics): void {
  switch (event.kind) {
    case 'checked':
      tellCheck(event, logger, metrics)
      break
    case 'shed':
    case 'connection_ended':
    case 'connection_dropped':
    case 'issuer_key_missed':
      count(event, metrics)
      break
    case 'fault':
      metrics.fault(event.where)
      logger.error({ where: event.where, cause: describe(event.cause) }, 'fault')
      break
    case 'listening':
    case 'draining':
    case 'worker_opened':
    case 'worker_ended':
      tellProcess(event, logger, metrics)
      break
    case 'revision_served':
    case 'revision_tested':
    case 'revision_refused':
    case 'revision_confirmed':
      tellRevision(event, logger, metrics)
      break
    case 'policy_notices':
    case 'config_warned':
    case 'issuer_keys_checked':
    case 'issuer_keys_read':
      tellNotices(event, logger, metrics)
      break
    case 'source_loaded':
    case 'source_refused':
    case 'source_failed':
    case 'source_recovered':
    case 'certificate_read':
      tellSource(event, logger, metrics)
      break
    case 'shadow_followed':
    case 'shadow_confirmed':
    case 'shadow_judged':
    case 'shadow_passed_over':
      tellShadow(event, logger, metrics)
      break
    case 'exported':
    case 'export_failed':
    case 'export_lost':
      tellExport(event, logger, metrics)
      break
  }
}

/** Counts events without log lines. They come in floods, and clients could cause any number of lines. */
function count(
  event: Extract<
    Event,
    { readonly kind: 'shed' | 'connection_ended' | 'connection_dropped' | 'issuer_key_missed' }
  >,
  metrics: Metrics,
): void {
  if (event.kind === 'shed') metrics.checked('deny', 'overloaded', event.durationSeconds)
  else if (event.kind === 'issuer_key_missed') metrics.issuerKeyMissed(event.issuer)
  else if (event.kind === 'connection_ended') metrics.connectionEnded(event.why)
  else metrics.connectionDropped(event.why)
}

function tellProcess(
  event: Extract<Event, { readonly kind: 'listening' | 'draining' | `worker_${string}` }>,
  logger: Logger,
  metrics: Metrics,
): void {
  switch (event.kind) {
    case 'listening':
      logger.info({ what: event.what, address: event.address }, 'listening')
      break
    case 'draining':
      logger.info({ signal: event.signal }, 'draining')
      break
    case 'worker_opened':
      logger.info({ of: event.worker, pid: event.pid }, 'worker opened')
      break
    case 'worker_ended':
      metrics.workerEnded(event.worker)
      logger.error({ of: event.worker, how: event.how, restartMs: event.restartMs }, 'worker ended')
      break
  }
}

function tellNotices(
  event: Extract<Event, { kind: 'policy_notices' | 'config_warned' | `issuer_keys_${string}` }>,
  logger: Logger,
  metrics: Metrics,
): void {
  switch (event.kind) {
    case 'policy_notices':
      logger.warn({ notices: boundAll(event.notices) }, 'policy notices changed')
      break
    case 'config_warned':
      logger.warn({ warnings: boundAll(event.warnings) }, 'the configuration has weaknesses')
      break
    case 'issuer_keys_checked': {
      const { issuer, unusable } = event
      metrics.issuerKeysChecked(issuer, unusable.length)
      if (unusable.length > 0)
        logger.warn({ issuer, keys: boundAll(unusable) }, 'keys of an identity provider not used')
      break
    }
    case 'issuer_keys_read':
      metrics.issuerKeysRead(event.issuer, event.atMs)
      break
  }
}

function tellSource(
  event: Extract<Event, { readonly kind: `source_${string}` | 'certificate_read' }>,
  logger: Logger,
  metrics: Metrics,
): void {
  const { what } = event
  switch (event.kind) {
    case 'certificate_read':
      metrics.certificateRead(event.listener, event.what, event)
      break
    case 'source_loaded': {
      const { names, entries } = event
      metrics.sourceLoaded(event.what, names, entries)
      logger.info({ what, names, entries }, 'source loaded')
      break
    }
    case 'source_refused':
      metrics.reloadRefused(event.what)
      logger.error({ what, problems: boundAll(event.problems) }, 'source refused')
      break
    case 'source_failed':
      metrics.sourceFailed(event.what, event.isFirst)
      // Polls are frequent, and all polls of an outage fail for the same reasons.
      if (event.isNew) logger.error({ what, problems: boundAll(event.problems) }, 'source not followed')
      break
    case 'source_recovered':
      metrics.sourceRecovered(event.what)
      logger.info({ what }, 'source followed again')
      break
  }
}

function tellCheck(
  event: Extract<Event, { readonly kind: 'checked' }>,
  logger: Logger,
  metrics: Metrics,
): void {
  const { decisionId, code, service, action, durationSeconds } = event
  const fields = { decisionId, code, service, action, durationSeconds }
  if (event.outcome === 'allow') logger.debug(fields, 'allowed')
  else logger.info(fields, event.outcome === 'deny' ? 'denied' : 'would be denied')
  metrics.checked(event.outcome, event.code, event.durationSeconds)
  if (event.token !== undefined) metrics.tokenJudged(event.token.issuer, event.token.refused ?? 'accepted')
  if (event.failedPolicies > 0) metrics.policiesFailed(event.failedPolicies)
}

function tellRevision(
  event: Extract<Event, { readonly kind: `revision_${string}` }>,
  logger: Logger,
  metrics: Metrics,
): void {
  switch (event.kind) {
    case 'revision_served': {
      const { policyRevision, policies, services } = event
      metrics.revisionServed(policyRevision, policies, services)
      logger.info({ policyRevision, policies, services }, 'policy revision served')
      break
    }
    case 'revision_tested':
      logger.info({ policyRevision: event.policyRevision, tests: event.tests }, 'policy revision tested')
      break
    case 'revision_refused':
      metrics.reloadRefused('revision')
      logger.error({ problems: boundAll(event.problems) }, 'policy revision refused')
      break
    case 'revision_confirmed':
      metrics.revisionConfirmed(event.confirmedAtMs, event.isPinned)
      logger.debug({ isPinned: event.isPinned }, 'policy revision confirmed')
      break
  }
}

function tellShadow(event: ShadowEvent, logger: Logger, metrics: Metrics): void {
  switch (event.kind) {
    case 'shadow_followed':
      metrics.shadowFollowed(event.policyRevision)
      logger.info({ policyRevision: event.policyRevision }, 'shadow revision judges')
      break
    case 'shadow_confirmed':
      metrics.shadowConfirmed(event.confirmedAtMs)
      break
    case 'shadow_judged': {
      const { decisionId, live, shadow, service, action } = event
      metrics.shadowJudged(live, shadow, event.isSame)
      if (!event.isSame) logger.debug({ decisionId, live, shadow, service, action }, 'shadow differs')
      break
    }
    case 'shadow_passed_over':
      metrics.shadowPassedOver(event.why, event.count)
      break
  }
}

/** An unreachable collector is not our fault: each failure is counted, and logged rarely. */
function tellExport(
  event: Extract<Event, { readonly kind: `export${string}` }>,
  logger: Logger,
  metrics: Metrics,
): void {
  const { what, endpoint } = event
  switch (event.kind) {
    case 'exported':
      metrics.exported(what, endpoint, event.items)
      if (event.isNews) logger.info({ what, endpoint }, 'export works again')
      break
    case 'export_failed':
      metrics.exportFailed(what, endpoint)
      if (event.isNews) logger.warn({ what, endpoint, reason: bound(event.reason) }, 'export failed')
      break
    case 'export_lost':
      metrics.exportLost(what, endpoint, event.loss, event.items)
      break
  }
}
