import type { Event, Report } from '../../base/model/event.ts'
import type { Config } from '../../config/config.ts'
import type { RevisionSourceOptions } from '../../policy/revision/revision-source.ts'
import { type FollowedRevision, followRevision } from '../followed-revision.ts'
import { createPolicySource } from '../policy-source.ts'
import type { StartContext } from '../start-context.ts'

/** The options with which the serving revision is loaded, proven and stored. */
export type Loading = Pick<RevisionSourceOptions, 'load' | 'prover' | 'runsTests' | 'keep'>

// The size of the shadow's caches relative to the live ones, because the shadow judges fewer checks.
const rememberedShare = 0.1

/**
 * Follows `policy.shadow` with its own source, engine and DNS names. Its faults are reported and never affect the serving
 * revision. Nothing waits for it, not even the start.
 */
export async function openShadowRevision(
  config: Config,
  context: StartContext,
  loading: Loading,
): Promise<FollowedRevision | undefined> {
  const { shadow } = config.policy
  if (shadow === undefined) return undefined
  const maxRemembered = Math.ceil(config.cache.decisions * rememberedShare)
  const followed = await followRevision(
    {
      source: createPolicySource({ policy: shadow, audit: config.audit }, context),
      maxStalenessMs: undefined,
      ...loading,
      load: { ...loading.load, maxRemembered },
      isApart: true,
      onServed: () => {},
      report: createShadowReport(context.report),
    },
    context,
  )
  void followed.start().catch((cause: unknown) => context.report({ kind: 'fault', where: 'shadow', cause }))
  return followed
}

/** Renames the shadow's events, so that they do not look like events of the serving revision. */
function createShadowReport(report: Report): Report {
  return (event) => {
    const told = toShadowEvent(event)
    if (told !== undefined) report(told)
  }
}

function toShadowEvent(event: Event): Event | undefined {
  switch (event.kind) {
    case 'revision_served':
      return { kind: 'shadow_followed', policyRevision: event.policyRevision }
    case 'revision_confirmed':
      return { kind: 'shadow_confirmed', confirmedAtMs: event.confirmedAtMs }
    case 'revision_refused':
    case 'source_refused':
      return { kind: 'source_refused', what: 'shadow', problems: event.problems }
    case 'source_failed':
    case 'source_recovered':
      return { ...event, what: 'shadow' }
    // `shadow_followed` covers these events. A working branch may be rewritten, and it has its own pin.
    case 'revision_tested':
    case 'policy_notices':
      return undefined
    default:
      return event
  }
}
