import { setTimeout as wait } from 'node:timers/promises'
import { formatProblem, limitProblems, type Problem } from '../../base/document/problem.ts'
import { type Polled, Poller, type PollNews, reportAs, type Standing } from '../../base/follow/poller.ts'
import type { Report } from '../../base/model/event.ts'
import { isFailure } from '../../base/model/failure.ts'
import { describeCause, type Fault, fault, isFault } from '../../base/model/fault.ts'
import type { Problems } from '../../base/model/problems.ts'
import { digestFiles, type PolicyFiles, withoutTests } from '../source/policy-files.ts'
import { type Found, noticesOf, type PolicySource, type Unusable } from '../source/policy-source.ts'
import { spaceAttempts } from '../source/spaced-attempts.ts'
import { proveCandidate, proveHere } from './candidate.ts'
import { assembleInTurns, type LoadedParts, type LoadOptions } from './load.ts'
import type { Revision } from './revision.ts'

/** The source of revisions, and the steps before one serves. */
export type RevisionSourceOptions = {
  readonly source: PolicySource
  readonly load: LoadOptions
  /** The entry of the thread that proves a candidate (authoring/tests/candidate-entry.ts). */
  readonly prover: URL
  /** True if a revision must pass its own tests before it serves. */
  readonly runsTests: boolean
  /**
   * The maximum time without confirmation from the source; then nothing serves. `undefined`: the last good revision keeps
   * serving.
   */
  readonly maxStalenessMs: number | undefined
  /**
   * Stores the revision's content, so that its decisions can be judged again. A revision that cannot be stored does not
   * serve.
   */
  readonly keep: (revision: Revision) => Promise<void>
  readonly onServed: () => void
  /** True for a secondary source: even its first revision is proven in a separate thread. */
  readonly isApart?: boolean
  readonly report: Report
  /** Wall clock, because the last confirmation of a source outlives the process. */
  readonly nowMs: () => number
}

// A remote may take long to fail. Start meanwhile, so that /readyz can report it.
const patienceMs = 5000
// Fetching and proving a large repository takes minutes at most; each step has its own limit.
const overdueMs = 600_000

/**
 * Serves the last good revision if it is stored, and polls the source. A revision that does not load never serves, and
 * its problems are reported.
 */
export async function openRevisionSource(options: RevisionSourceOptions): Promise<RevisionSource> {
  const source = new RevisionSource(options)
  await source.start()
  return source
}

/**
 * A followed policy source. Each change is proven and then swapped in at once; until then the last good revision serves.
 */
export class RevisionSource implements AsyncDisposable {
  readonly #options: RevisionSourceOptions
  readonly #attempt: ReturnType<typeof spaceAttempts>
  readonly #poller: Poller
  #current: Revision | undefined
  #confirmedAtMs: number | undefined
  #pinned: string | undefined
  #notices: readonly string[] = []
  /** The last revision, with its tests, that passed. */
  #tested = ''
  /** The last content that was refused, so that the same mistake is tried and reported once. */
  #refused = ''
  #isRecalled = false
  /** Why the revision of the previous process does not serve now. */
  #recallProblems: readonly string[] = []

  constructor(options: RevisionSourceOptions) {
    this.#options = options
    this.#attempt = spaceAttempts(options.nowMs)
    this.#poller = new Poller({
      poll: () => this.#poll(),
      everyMs: options.source.intervalMs,
      overdueMs,
      onNews: reportTo(options.report),
      nowMs: options.nowMs,
    })
  }

  /** The source's name in messages. */
  get name(): string {
    return this.#options.source.name
  }

  /** The serving revision; `undefined` until one has loaded, and after the source was silent for too long. */
  get current(): Revision | undefined {
    return this.isStale ? undefined : this.#current
  }

  /** True if no revision serves because the source has not confirmed it for too long. */
  get isStale(): boolean {
    const { maxStalenessMs, nowMs } = this.#options
    return maxStalenessMs !== undefined && nowMs() - (this.#confirmedAtMs ?? 0) > maxStalenessMs
  }

  /** When the source last confirmed the serving revision, in milliseconds since the epoch. */
  get confirmedAtMs(): number | undefined {
    return this.#confirmedAtMs
  }

  /** The revision to which the source is pinned. */
  get pinned(): string | undefined {
    return this.#pinned
  }

  /** Notices for the operator about the serving revision. */
  get notices(): readonly string[] {
    return this.#notices
  }

  /** The reasons why the source's current content does not serve, and since when; empty if it serves. */
  get standing(): readonly Standing[] {
    return this.#poller.standing
  }

  /** The same as texts. */
  get problems(): readonly string[] {
    return this.#poller.problems
  }

  /** Starts to follow the source. It waits for the source only if nothing can serve before, and only briefly. */
  async start(): Promise<void> {
    await this.#recall()
    const asked = this.refresh()
    if (this.#current === undefined) await Promise.race([asked, wait(patienceMs, undefined, { ref: false })])
    this.#poller.start()
  }

  /** Polls the source now. */
  refresh(): Promise<void> {
    return this.#poller.refresh()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#poller[Symbol.asyncDispose]()
    this.#options.source.close()
    await closed
  }

  async #poll(): Promise<Polled> {
    await this.#recall()
    const polled = await this.#take(await this.#options.source.look())
    if (this.#current !== undefined) return polled
    return { ...polled, faults: [...this.#recallProblems, ...polled.faults] }
  }

  /** Serves the revision of the previous process. A fault implies nothing about it, so the next poll tries again. */
  async #recall(): Promise<void> {
    if (this.#isRecalled || this.#current !== undefined) return
    const recalled = await this.#options.source.recall()
    const polled: Polled =
      recalled === undefined
        ? { faults: [], refusals: [] }
        : await this.#take(recalled.found, recalled.confirmedAtMs)
    this.#isRecalled = polled.faults.length === 0
    const refusals = polled.refusals === 'unchanged' ? [] : polled.refusals
    this.#recallProblems = [...polled.faults, ...refusals].map((problem) => `what served last: ${problem}`)
  }

  async #take(found: Found | Unusable, recalledAtMs?: number): Promise<Polled> {
    if (found.kind !== 'found')
      return found.kind === 'failed' ? toFailed(toTexts(found.problems)) : this.#refuse('', found.problems)
    // The recalled revision has passed its tests, so the start does not wait for them. The first poll runs them.
    const runsTests = this.#options.runsTests && recalledAtMs === undefined
    const files = runsTests ? found.files : withoutTests(found.files)
    // Tests can change alone, and can have been the problem.
    const name = `${files.id} ${digestFiles(files.tests)}`
    if (name === this.#refused) return toFailed([])
    const isTested = files.tests.size === 0 || name === this.#tested
    if (files.id !== this.#current?.id || !isTested) {
      const failure = await this.#tryLoad(name, files)
      if (isFault(failure)) return toFailed([this.#describe(failure.reason)])
      if (failure !== undefined) return this.#refuse(name, failure.problems)
      this.#tested = name
    }
    return { faults: await this.#confirm(found, recalledAtMs), refusals: [] }
  }

  async #tryLoad(name: string, files: PolicyFiles): Promise<Problems<Problem> | Fault | undefined> {
    try {
      return await this.#load(name, files)
    } catch (cause) {
      return fault(describeCause(cause))
    }
  }

  /** Proves and serves a candidate, or returns all its problems. */
  async #load(name: string, files: PolicyFiles): Promise<Problems<Problem> | Fault | undefined> {
    const { load, prover, isApart, report } = this.#options
    const hasTests = files.tests.size > 0
    const isUrgent = this.#current === undefined && isApart !== true
    // While nothing serves, no request waits and a thread would only be slower. Tests, however, may run for ever.
    const proven = await this.#attempt(name, async () =>
      isUrgent && !hasTests ? proveHere(files, load) : proveCandidate(files, load, prover, { isUrgent }),
    )
    if (isFailure(proven)) return proven
    if (files.id !== this.#current?.id) await this.#serve(proven.parts)
    if (hasTests) report({ kind: 'revision_tested', policyRevision: files.id, tests: proven.tests })
    return undefined
  }

  async #serve(parts: LoadedParts): Promise<void> {
    const { load, keep, report, onServed } = this.#options
    const revision = await assembleInTurns(parts, load)
    await keep(revision)
    this.#current = revision
    // Before `onServed`, because a newly proven revision is not stale.
    this.#confirmedAtMs ??= this.#options.nowMs()
    const counts = { policies: revision.policies.length, services: revision.catalog.services.length }
    report({ kind: 'revision_served', policyRevision: revision.id, ...counts })
    onServed()
  }

  /** Records that the source confirmed the serving revision; returns why that could not be stored for the next start. */
  async #confirm(found: Found, recalledAtMs?: number): Promise<readonly string[]> {
    const { source, nowMs, report } = this.#options
    const confirmedAtMs = recalledAtMs ?? nowMs()
    this.#refused = ''
    this.#pinned = found.pinned
    this.#confirmedAtMs = confirmedAtMs
    this.#notify(found)
    report({ kind: 'revision_confirmed', confirmedAtMs, isPinned: found.pinned !== undefined })
    if (recalledAtMs !== undefined) return []
    try {
      await source.accept(found, confirmedAtMs)
      return []
    } catch (cause) {
      return [this.#describe(cause)]
    }
  }

  #notify(found: Found): void {
    const all = noticesOf(found)
    const isNew = all.join('\n') !== this.#notices.join('\n')
    this.#notices = all
    if (isNew) this.#options.report({ kind: 'policy_notices', notices: all })
  }

  /** Refuses content. With a name, the same content is not tried again. */
  #refuse(name: string, problems: readonly Problem[]): Polled {
    this.#refused = name
    return { faults: [], refusals: toTexts(problems) }
  }

  #describe(cause: unknown): string {
    return formatProblem({ file: this.name, message: describeCause(cause) })
  }
}

function toTexts(problems: readonly Problem[]): readonly string[] {
  return limitProblems(problems).map(formatProblem)
}

function toFailed(faults: readonly string[]): Polled {
  return { faults, refusals: 'unchanged' }
}

function reportTo(report: Report): (news: PollNews) => void {
  const reportOther = reportAs('policies', report)
  return (news) =>
    news.kind === 'refused'
      ? report({ kind: 'revision_refused', problems: news.problems })
      : reportOther(news)
}
