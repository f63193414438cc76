import { rememberLatest } from '../cache/remember.ts'
import type { Config } from '../config/config.ts'
import type { Poller } from '../follow/poller.ts'
import type { Event, Report } from '../model/event.ts'
import { namesToResolve, type Resolved, withResolved } from '../revision/addresses.ts'
import { openDns } from '../revision/dns-source.ts'
import type { Revision } from '../revision/revision.ts'
import { RevisionSource, type RevisionSourceOptions } from '../revision/revision-source.ts'
import type { Opening } from './opening.ts'
import { createPolicySource } from './policy-source.ts'

/** A revision that decides nothing, and how its source stands. */
export type ShadowRevision = {
  readonly source: RevisionSource
  /** Follows the names of its catalog. */
  readonly names: Poller
  /** With what the names of its catalog resolve to. */
  readonly current: () => Revision | undefined
}

/** As the revision that serves is loaded, proven and kept. */
export type Loading = Pick<RevisionSourceOptions, 'load' | 'prover' | 'runsTests' | 'keep'>

const dnsPollMs = 10_000
// Of what the live engine remembers: it is asked less often.
const rememberedShare = 0.1

/**
 * Follows `policy.shadow` with a source, an engine and names of its own: whatever goes wrong with it is reported, and the
 * revision that serves does not notice. Nothing waits for it, not even the start.
 */
export async function openShadowRevision(
  config: Config,
  opening: Opening,
  loading: Loading,
): Promise<ShadowRevision | undefined> {
  const { closing, report } = opening
  const { shadow } = config.policy
  if (shadow === undefined) return undefined
  const names = { resolved: new Map() as Resolved, refresh: async () => {} }
  const maxRemembered = Math.ceil(config.cache.decisions * rememberedShare)
  const source = new RevisionSource({
    source: createPolicySource({ policy: shadow, audit: config.audit }, opening),
    maxStalenessMs: undefined,
    ...loading,
    load: { ...loading.load, maxRemembered },
    isApart: true,
    onServed: () => void names.refresh(),
    report: createShadowReport(report),
    nowMs: Date.now,
  })
  closing.push(source)
  const dns = await openDns({
    names: () => (source.current === undefined ? [] : namesToResolve(source.current.catalog)),
    onChange(resolved) {
      names.resolved = resolved
    },
    report: createShadowReport(report),
    pollMs: dnsPollMs,
    nowMs: Date.now,
  })
  names.refresh = () => dns.refresh()
  closing.push(dns)
  void source.start().catch((cause: unknown) => report({ kind: 'fault', where: 'shadow', cause }))
  const resolve = rememberLatest((revision: Revision, resolved: Resolved): Revision => {
    return { ...revision, catalog: withResolved(revision.catalog, resolved) }
  })
  return {
    source,
    names: dns.poller,
    current: () => source.current && resolve(source.current, names.resolved),
  }
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
