import { Counter, Gauge, type Registry } from 'prom-client'
import type { DenyCode } from '../base/model/decision.ts'

/** Metrics of the shadow. */
export type ShadowMetrics = {
  readonly shadowFollowed: (policyRevision: string) => void
  /** When the shadow's source last confirmed its content. */
  readonly shadowConfirmed: (confirmedAtMs: number) => void
  readonly shadowJudged: (live: 'allow' | DenyCode, shadow: 'allow' | DenyCode, isSame: boolean) => void
  readonly shadowPassedOver: (why: 'dropped' | 'failed', count: number) => void
}

/** Creates the metrics of the shadow; without one they stay 0. */
export function createShadowMetrics(registry: Registry): ShadowMetrics {
  const registers = [registry]
  const checks = new Counter({
    name: 'waywarden_shadow_checks_total',
    help: 'Checks selected for the shadow revision, by result: same, different, dropped (too many at once) or failed',
    labelNames: ['result'],
    registers,
  })
  const differences = new Counter({
    name: 'waywarden_shadow_differences_total',
    help: 'Checks that the shadow revision decides differently, by both decisions',
    labelNames: ['live', 'shadow'],
    registers,
  })
  const revision = new Gauge({
    name: 'waywarden_shadow_revision_info',
    help: 'The shadow policy revision, always 1',
    labelNames: ['revision'],
    registers,
  })
  const confirmed = new Gauge({
    name: 'waywarden_shadow_confirmed_timestamp_seconds',
    help: "When the shadow's source last confirmed its revision, in seconds since the epoch; 0 before that",
    registers,
  })
  // Initialized to 0, because a rate does not see the first increment of a new series.
  for (const result of ['same', 'different', 'dropped', 'failed']) checks.inc({ result }, 0)
  differences.inc({ live: 'allow', shadow: 'policy_denied' }, 0)
  differences.inc({ live: 'policy_denied', shadow: 'allow' }, 0)
  return {
    shadowFollowed(policyRevision) {
      revision.reset()
      revision.set({ revision: policyRevision }, 1)
    },
    shadowConfirmed: (confirmedAtMs) => confirmed.set(confirmedAtMs / 1000),
    shadowJudged(live, shadow, isSame) {
      checks.inc({ result: isSame ? 'same' : 'different' })
      if (!isSame) differences.inc({ live, shadow })
    },
    shadowPassedOver: (result, count) => checks.inc({ result }, count),
  }
}
