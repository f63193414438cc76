import type { Event, Report } from '../../base/model/event.ts'
import type { Config } from '../../config/config.ts'
import type { RevisionSourceOptions } from '../../policy/revision/revision-source.ts'
import { type FollowedRevision, followRevision } from '../followed-revision.ts'
import { createPolicySource } from '../policy-source.ts'
import type { StartContext } from '../start-context.ts'

/** As the revision that serves is loaded, proven and kept. */
export type Loading = Pick<RevisionSourceOptions, 'load' | 'prover' | 'runsTests' | 'keep'>

// Of what the live engine remembers: it is asked less often.
const rememberedShare = 0.1

/**
 * Follows `policy.shadow` with a source, an engine and names of its own: whatever goes wrong with it is reported, and the
 * revision that serves does not notice. Nothing waits for it, not even the start.
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

/** What happens to the shadow must not look as if it had happened to what serves. */
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
    // What it is told of, `shadow_followed` says; a branch that is worked on is rewritten, and its pin is its own.
    case 'revision_tested':
    case 'policy_notices':
      return undefined
    default:
      return event
  }
}
