import { setTimeout as wait } from 'node:timers/promises'
import type { Report } from '../model/event.ts'
import { proveCandidate, proveHere } from './candidate.ts'
import { digestFiles, type PolicyFiles, withoutTests } from './directory-source.ts'
import { assembleInTurns, type LoadedParts, type LoadOptions } from './load.ts'
import type { Found, PolicySource, Refused } from './policy-source.ts'
import { formatProblem, limitProblems, type Problem } from './problem.ts'
import type { Revision } from './revision.ts'

/** Where revisions come from, and what happens to one before it serves. */
export type RevisionSourceOptions = {
  readonly source: PolicySource
  readonly load: LoadOptions
  /** Where a thread begins that proves a candidate (review/candidate-entry). */
  readonly prover: URL
  /** Whether a revision must pass its own tests before it serves. */
  readonly runsTests: boolean
  /** Without word from the source for longer than this, nothing serves; `undefined`: what was last good serves on. */
  readonly maxStalenessMs: number | undefined
  /** Keeps the revision's content, so that what it decides can be judged again; a revision that cannot be kept does not serve. */
  readonly keep: (revision: Revision) => Promise<void>
  readonly onServed: () => void
  /** Others are served meanwhile: even the first revision is proven in a thread of its own. */
  readonly isApart?: boolean
  readonly report: Report
  /** Wall clock: the last word of a source outlives the process. */
  readonly nowMs: () => number
}

// A remote may take long to fail, and whoever asks how we are is to hear that it does.
const patienceMs = 5000
// Of a revision's id, where a person reads it.
const shownLength = 12

/** Serves what was last good, if it is kept, and asks the source. What does not load does not serve, and says why. */
export async function openRevisionSource(options: RevisionSourceOptions): Promise<RevisionSource> {
  const source = new RevisionSource(options)
  await source.start()
  return source
}

/** A policy source that is followed: each change is proven, then swapped in at once; what was last good serves on. */
export class RevisionSource implements AsyncDisposable {
  readonly #options: RevisionSourceOptions
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #current: Revision | undefined
  #confirmedAtMs: number | undefined
  #pinned: string | undefined
  #notices: readonly string[] = []
  #problems: readonly string[] = []
  /** The revision and the tests that it passed last. */
  #tested = ''
  /** What was refused last, so that one mistake is tried and reported once. */
  #refused = ''
  #refreshing: Promise<void> = Promise.resolve()

  constructor(options: RevisionSourceOptions) {
    this.#options = options
  }

  /** What messages call the source. */
  get name(): string {
    return this.#options.source.name
  }

  /** The revision that decides; `undefined` until one has loaded, and when its source has been silent for too long. */
  get current(): Revision | undefined {
    return this.isStale ? undefined : this.#current
  }

  /** Whether a revision does not serve because nobody knows any more whether it should. */
  get isStale(): boolean {
    const { maxStalenessMs, nowMs } = this.#options
    return maxStalenessMs !== undefined && nowMs() - (this.#confirmedAtMs ?? 0) > maxStalenessMs
  }

  /** When the source last said that what serves shall serve, in milliseconds since the epoch. */
  get confirmedAtMs(): number | undefined {
    return this.#confirmedAtMs
  }

  /** The revision to which the source is pinned. */
  get pinned(): string | undefined {
    return this.#pinned
  }

  /** What an operator should know though the revision serves. */
  get notices(): readonly string[] {
    return this.#notices
  }

  /** Why the source's present content does not serve; empty when it does. */
  get problems(): readonly string[] {
    return this.#problems
  }

  /** Begins to follow the source; waits for it only when nothing can serve before, and then not for long. */
  async start(): Promise<void> {
    const recalled = await this.#options.source.recall()
    if (recalled !== undefined) await this.#take(recalled.found, recalled.confirmedAtMs)
    const asked = this.refresh()
    if (this.#current === undefined) await Promise.race([asked, wait(patienceMs, undefined, { ref: false })])
    this.#schedule()
  }

  /** Asks the source now; one look at a time. */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing.then(async () => {
      const found = await this.#options.source.look()
      await this.#take(found)
    })
    return this.#refreshing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#options.source.close()
    await this.#refreshing
  }

  #schedule(): void {
    if (this.#isClosed) return
    const look = () => void this.refresh().then(() => this.#schedule())
    this.#timer = setTimeout(look, this.#options.source.nextLookMs()).unref()
  }

  async #take(found: Found | Refused, recalledAtMs?: number): Promise<void> {
    if (found.kind !== 'found') return this.#refuse('', found.problems, found.kind)
    // What is recalled has passed its tests; a start does not wait for them, and the first look makes up for it.
    const runsTests = this.#options.runsTests && recalledAtMs === undefined
    const files = runsTests ? found.files : withoutTests(found.files)
    // Tests alone may change, and be what was wrong.
    const name = `${files.id} ${digestFiles(files.tests)}`
    if (name === this.#refused) return
    try {
      const isTested = files.tests.size === 0 || name === this.#tested
      if (files.id !== this.#current?.id || !isTested) {
        const problems = await this.#load(files)
        if (problems.length > 0) return this.#refuse(name, problems)
        this.#tested = name
      }
      await this.#confirm(found, recalledAtMs)
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      // Not remembered: a disk that was full may have room at the next look.
      this.#refuse('', [{ file: this.name, message }])
    }
  }

  async #load(files: PolicyFiles): Promise<readonly Problem[]> {
    const { load, prover, isApart, report } = this.#options
    const hasTests = files.tests.size > 0
    const isUrgent = this.#current === undefined && isApart !== true
    // While nothing serves there is nobody to keep waiting, and a thread would only be slower; but tests may run on and on.
    const proven =
      isUrgent && !hasTests ? proveHere(files, load) : await proveCandidate(files, load, prover, { isUrgent })
    if (!('parts' in proven)) return proven
    if (files.id !== this.#current?.id) await this.#serve(proven.parts)
    if (hasTests) report({ kind: 'revision_tested', policyRevision: files.id, tests: proven.tests })
    return []
  }

  async #serve(parts: LoadedParts): Promise<void> {
    const { load, keep, report, onServed } = this.#options
    const revision = await assembleInTurns(parts, load)
    await keep(revision)
    this.#current = revision
    // Before anybody is told: what has just been proven is not stale.
    this.#confirmedAtMs ??= this.#options.nowMs()
    const { id, policies, catalog } = revision
    report({
      kind: 'revision_served',
      policyRevision: id,
      policies: policies.length,
      services: catalog.services.length,
    })
    onServed()
  }

  async #confirm(found: Found, recalledAtMs?: number): Promise<void> {
    const { source, nowMs, report } = this.#options
    const confirmedAtMs = recalledAtMs ?? nowMs()
    this.#problems = []
    this.#refused = ''
    this.#pinned = found.pinned
    this.#confirmedAtMs = confirmedAtMs
    this.#notify(found)
    report({ kind: 'revision_confirmed', confirmedAtMs, isPinned: found.pinned !== undefined })
    if (recalledAtMs === undefined) await source.accept(found, confirmedAtMs)
  }

  #notify({ pinned, notices }: Found): void {
    const pin =
      pinned === undefined
        ? []
        : [`PINNED to policy revision ${pinned.slice(0, shownLength)}, until the pin is released`]
    const all = [...pin, ...notices]
    const isNew = all.join('\n') !== this.#notices.join('\n')
    this.#notices = all
    if (isNew) this.#options.report({ kind: 'policy_notices', notices: all })
  }

  #refuse(id: string, problems: readonly Problem[], kind: Refused['kind'] = 'refused'): void {
    const texts = limitProblems(problems).map(formatProblem)
    const isNew = texts.join('\n') !== this.#problems.join('\n')
    this.#refused = id
    this.#problems = texts
    if (!isNew) return
    const { report } = this.#options
    if (kind === 'refused') report({ kind: 'revision_refused', problems: texts })
    else report({ kind: 'source_refused', what: 'policies', problems: texts })
  }
}
