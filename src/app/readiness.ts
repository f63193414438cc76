import type { Readiness } from '../admin/admin-server.ts'
import { rememberLatest } from '../cache/remember.ts'
import type { Config } from '../config/config.ts'
import { configWarnings } from '../config/remarks.ts'
import type { Poller, Standing } from '../follow/poller.ts'
import { formatProblem, limitProblems } from '../revision/problem.ts'
import type { Revision } from '../revision/revision.ts'
import { unknownSubjects } from '../revision/unknown-subjects.ts'
import type { House } from './house.ts'

/** Whether this process can decide, why not, and what its operator should know all the same. */
export function readinessOf(
  { config, credentials, recovery, revisions, shadow, audit }: House,
  followed: readonly Pick<Poller, 'standing'>[],
  isDraining: boolean,
): Readiness {
  const { current } = revisions
  const problems = revisions.standing.flatMap(toTexts)
  const reasons = [
    ...(isDraining ? ['draining'] : []),
    ...(current === undefined ? [silence(revisions), ...problems] : []),
    ...(current?.isReady() === false ? ['the policy engine is being replaced'] : []),
    ...(audit.isAvailable() || isAllObserved(config) ? [] : [noAudit]),
  ]
  const plaintext = config.listeners.flatMap((listener) =>
    listener.plaintext === undefined || 'path' in listener ? [] : [`${listener.address}:${listener.port}`],
  )
  const notices = [
    ...observeNotices(config, current),
    ...(audit.isAvailable() || !isAllObserved(config) ? [] : [noAudit]),
    ...(current === undefined
      ? []
      : problems.map((problem) => `the policy source is not followed: ${problem}`)),
    ...(config.policy.tests === 'required' ? [] : [untested]),
    ...revisions.notices,
    ...(current === undefined ? [] : subjectNotices(current.subjects, config.users)),
    ...shadowNotices(shadow, current),
    ...(recovery?.notices(Date.now()) ?? []),
    ...followed.flatMap(({ standing }) => standing.flatMap(toNotices)),
    ...credentials.notices(),
    ...configWarnings(config),
    ...plaintext.map((address) => `${address} takes plaintext; the mesh's L4 policy must guard it`),
  ]
  return {
    ready: reasons.length === 0,
    reasons,
    notices,
    policy: toPolicy(revisions),
    shadow: shadow && toPolicy(shadow.source),
  }
}

/** Why no revision serves. */
function silence({ isStale, confirmedAtMs }: House['revisions']): string {
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
}: House['revisions']): Exclude<Readiness['policy'], undefined> {
  return {
    source: name,
    revision: current?.id,
    pinned,
    confirmedSecondsAgo:
      confirmedAtMs === undefined ? undefined : Math.max(0, Math.round((Date.now() - confirmedAtMs) / 1000)),
    lastError: problems[0],
  }
}

/** Whatever is wrong with what decides nothing, requests are decided as before. */
function shadowNotices(shadow: House['shadow'], live: Revision | undefined): readonly string[] {
  if (shadow === undefined) return []
  const { source, names } = shadow
  const problems = [...source.standing, ...names.standing].flatMap(toTexts)
  if (problems.length > 0) return problems.map((problem) => `the shadow revision is not followed: ${problem}`)
  const isMerged = live !== undefined && source.current?.id === live.id
  return isMerged ? ['`policy.shadow` is what decides already: take it out of the configuration'] : []
}

/** The notices of a source that could not be read, or whose content was refused. What was read before stays in force. */
export function toNotices(standing: Standing): readonly string[] {
  const what = standing.kind === 'failed' ? 'not followed' : 'not in force'
  return toTexts(standing).map((problem) => `${what}: ${problem}`)
}

/** The time is cut to the minute, so that workers that failed together have one notice (joint-readiness.ts). */
function toTexts({ problems, sinceMs }: Standing): readonly string[] {
  const since = `${new Date(sinceMs).toISOString().slice(0, 'YYYY-MM-DDTHH:MM'.length)}Z`
  return problems.map((problem) => `${problem} (since ${since})`)
}

/** A permit for such a user or group permits nobody, and a forbid forbids nobody. */
const subjectNotices = rememberLatest((subjects: Revision['subjects'], users: Config['users']) =>
  limitProblems(unknownSubjects(subjects, users)).map((problem) => `policies: ${formatProblem(problem)}`),
)

const noAudit = 'the audit log cannot be written'
const untested = 'policy.tests: ignored: a policy revision serves whether or not it passes its own tests'

/** While nothing is enforced, nothing that fails here may refuse a request. */
function isAllObserved({ observe }: Config): boolean {
  return observe !== undefined && observe.services === undefined && Date.now() < observe.untilMs
}

function observeNotices({ observe }: Config, revision: Revision | undefined): readonly string[] {
  if (observe === undefined) return []
  const day = new Date(observe.untilMs).toISOString().slice(0, 10)
  const whom = observe.services?.join(', ') ?? 'every service'
  const isOver = Date.now() >= observe.untilMs
  const strangers = observe.services?.filter((name) => revision?.catalog.byName.has(name) === false) ?? []
  return [
    isOver ? `observing ended on ${day}: all is enforced` : `NOT ENFORCED until ${day}: ${whom}`,
    ...strangers.map((name) => `observe.services: the catalog has no service \`${name}\``),
  ]
}
