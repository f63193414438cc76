import type { Poller } from '../base/follow/poller.ts'
import { toNotices, toTexts } from '../base/follow/standing-texts.ts'
import type { Revision } from '../policy/revision/revision.ts'
import type { Readiness } from './admin/admin-server.ts'
import type { Runtime } from './runtime.ts'
import { isAllObserved, standingOf } from './standing-notices.ts'

/** Returns readiness, its reasons, and the notices for the operator. */
export function readinessOf(
  runtime: Runtime,
  followed: readonly Pick<Poller, 'standing'>[],
  isDraining: boolean,
  nowMs: number = Date.now(),
): Readiness {
  const { config, recovery, revisions, shadow, audit } = runtime
  const { current } = revisions
  const problems = revisions.standing.flatMap(toTexts)
  const standing = standingOf(config, runtime, current, nowMs)
  const isObserved = isAllObserved(config, nowMs)
  const reasons = [
    ...(isDraining ? ['draining'] : []),
    ...(current === undefined ? [silence(revisions), ...problems] : []),
    ...(current?.isReady() === false ? ['the policy engine is being replaced'] : []),
    ...(audit.isAvailable() || isObserved ? [] : [noAudit]),
    ...standing.reasons,
  ]
  const notices = [
    ...standing.notices,
    ...(audit.isAvailable() || !isObserved ? [] : [noAudit]),
    ...(current === undefined
      ? []
      : problems.map((problem) => `the policy source is not followed: ${problem}`)),
    ...revisions.notices,
    ...(shadow === undefined ? [] : shadowNotices(shadowProblems(shadow), shadow.source.current, current)),
    ...(recovery?.notices(nowMs) ?? []),
    ...followed.flatMap(({ standing }) => standing.flatMap(toNotices)),
  ]
  return {
    ready: reasons.length === 0,
    reasons,
    notices,
    policy: toPolicy(revisions),
    shadow: shadow && toPolicy(shadow.source),
  }
}

/** Explains why no revision serves. */
function silence({ isStale, confirmedAtMs }: Runtime['revisions']): string {
  return isStale && confirmedAtMs !== undefined
    ? 'the policy source has been silent for longer than `policy.maxStaleness`'
    : 'no policy revision serves'
}

function toPolicy({
  current,
  name,
  confirmedAtMs,
  pinned,
  problems,
}: Runtime['revisions']): Exclude<Readiness['policy'], undefined> {
  return {
    source: name,
    revision: current?.id,
    pinned,
    confirmedSecondsAgo:
      confirmedAtMs === undefined ? undefined : Math.max(0, Math.round((Date.now() - confirmedAtMs) / 1000)),
    lastError: problems[0],
  }
}

/** Lists the problems of the shadow. They never affect served requests. */
export function shadowNotices(
  problems: readonly string[],
  shadow: Revision | undefined,
  live: Revision | undefined,
): readonly string[] {
  if (problems.length > 0) return problems.map((problem) => `the shadow revision is not followed: ${problem}`)
  const isMerged = live !== undefined && shadow?.id === live.id
  return isMerged ? ['`policy.shadow` is what decides already: take it out of the configuration'] : []
}

function shadowProblems({ source, names }: Exclude<Runtime['shadow'], undefined>): readonly string[] {
  return [...source.standing, ...names.standing].flatMap(toTexts)
}

const noAudit = 'the audit log cannot be written'
