import { findForeignNames } from '../authoring/trust-domains.ts'
import { rememberLatest } from '../base/cache/remember.ts'
import { formatProblem, limitProblems } from '../base/document/problem.ts'
import type { TrustDomain } from '../base/model/spiffe-id.ts'
import { hintFor } from '../base/text/did-you-mean.ts'
import type { Config } from '../config/config.ts'
import { configWarnings } from '../config/remarks.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { unknownSubjects } from '../policy/rules/unknown-subjects.ts'
import type { Credentials } from './credentials.ts'
import type { Parts } from './parts.ts'
import { noticeLifetime } from './tls/certificate-lifetimes.ts'

/** Problems that follow from the configuration, policies and files, independent of events at runtime. */
export type Standing = {
  /** Why correct decisions are impossible. */
  readonly reasons: readonly string[]
  /** Further facts for the operator. */
  readonly notices: readonly string[]
}

/** The parts to examine. Missing credentials are reported elsewhere. */
type Opened = Pick<Parts, 'certificates' | 'exposed'> & {
  readonly credentials?: Pick<Credentials, 'notices'>
}

const yearMs = 366 * 86_400_000
const untested = 'policy.tests: ignored: a policy revision serves whether or not it passes its own tests'

/** Examines the parts. `revision` is `undefined` while none serves or none was loaded. */
export function standingOf(
  config: Config,
  { credentials, certificates, exposed }: Opened,
  revision: Revision | undefined,
  nowMs: number,
): Standing {
  const foreign = revision && findForeign(revision, config.chain.trustDomain)
  const fatal = foreign?.fatal === undefined ? [] : [foreign.fatal]
  const isObserved = isAllObserved(config, nowMs)
  return {
    // While nothing is enforced, requests pass as they would without Waywarden.
    reasons: isObserved ? [] : fatal,
    notices: [
      ...observeNotices(config, revision, nowMs),
      ...(isObserved ? fatal : []),
      ...(foreign?.notices ?? []),
      ...(revision === undefined ? [] : subjectNotices(revision.subjects, config.users)),
      ...(config.policy.tests === 'required' ? [] : [untested]),
      ...certificates.flatMap((listener, index) =>
        (listener?.lifetimes() ?? []).flatMap(({ file, lifetime }) => {
          const key = `\`listeners.${index}.tls.${lifetime.what}\``
          return noticeLifetime(lifetime, `${key}: ${file}`, nowMs) ?? []
        }),
      ),
      ...exposed,
      ...(credentials?.notices() ?? []),
      ...configWarnings(config),
      ...plaintextNotices(config),
    ],
  }
}

/** True if nothing is enforced. Then no fault here may refuse a request. */
export function isAllObserved({ observe }: Config, nowMs: number): boolean {
  return observe !== undefined && observe.services === undefined && nowMs < observe.untilMs
}

/** Each revision is searched once. */
const findForeign = rememberLatest((revision: Revision, trustDomain: TrustDomain) =>
  findForeignNames(revision, trustDomain),
)

/** Finds policies for unknown users or groups. Such policies have no effect. */
const subjectNotices = rememberLatest((subjects: Revision['subjects'], users: Config['users']) =>
  limitProblems(unknownSubjects(subjects, users)).map((problem) => `policies: ${formatProblem(problem)}`),
)

function observeNotices(
  { observe }: Config,
  revision: Revision | undefined,
  nowMs: number,
): readonly string[] {
  if (observe === undefined) return []
  const day = new Date(observe.untilMs).toISOString().slice(0, 10)
  const whom = observe.services?.join(', ') ?? 'every service'
  const known = revision === undefined ? undefined : [...revision.catalog.byName.keys()]
  const strangers = observe.services?.filter((name) => known?.includes(name) === false) ?? []
  const isFar = observe.untilMs > nowMs + yearMs
  return [
    nowMs >= observe.untilMs
      ? `observing ended on ${day}: all is enforced`
      : `NOT ENFORCED until ${day}: ${whom}${isFar ? '; that is more than a year away' : ''}`,
    ...strangers.map(
      (name) => `observe.services: the catalog has no service \`${name}\`; ${hintFor(name, known ?? [])}`,
    ),
  ]
}

function plaintextNotices({ listeners }: Config): readonly string[] {
  return listeners.flatMap((listener) =>
    listener.plaintext === undefined || listener.path !== undefined
      ? []
      : [`${listener.address}:${listener.port} takes plaintext; the mesh's L4 policy must guard it`],
  )
}
