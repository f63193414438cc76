import type { Report } from '../model/event.ts'
import { readPolicyDirectory } from './directory-source.ts'
import { type LoadOptions, loadRevision } from './load.ts'
import { formatProblem, type Problem } from './problem.ts'
import type { Revision } from './revision.ts'

/** Where revisions come from, and what happens to one before it serves. */
export type RevisionSourceOptions = {
  readonly directory: string
  readonly load: LoadOptions
  readonly pollMs: number
  /** Keeps the revision's content, so that what it decides can be judged again; a revision that cannot be kept does not serve. */
  readonly keep: (revision: Revision) => Promise<void>
  readonly onServed: () => void
  readonly report: Report
}

/** Reads the policy directory and follows its changes. A directory that does not load serves nothing, and says why. */
export async function openRevisionSource(options: RevisionSourceOptions): Promise<RevisionSource> {
  const source = new RevisionSource(options)
  await source.refresh()
  return source
}

/** A policy directory, loaded again whenever its content changes; what was last good serves on. */
export class RevisionSource implements AsyncDisposable {
  readonly #options: RevisionSourceOptions
  readonly #timer: NodeJS.Timeout
  #current: Revision | undefined
  #problems: readonly string[] = []
  /** The content that was last tried, so that one mistake is reported once. */
  #tried = ''
  #refreshing: Promise<void> = Promise.resolve()

  constructor(options: RevisionSourceOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.refresh(), options.pollMs).unref()
  }

  /** The revision that decides; `undefined` until one has loaded. */
  get current(): Revision | undefined {
    return this.#current
  }

  /** Why the directory's present content does not serve; empty when it does. */
  get problems(): readonly string[] {
    return this.#problems
  }

  /** Looks at the directory now; one look at a time. */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing.then(() => this.#look())
    return this.#refreshing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#refreshing
  }

  async #look(): Promise<void> {
    const source = await readPolicyDirectory(this.#options.directory)
    if (!('files' in source)) return this.#refuse(source.map(formatProblem).join('\n'), source)
    if (source.id === this.#tried) return
    try {
      const loaded = loadRevision(source, this.#options.load)
      if (!('catalog' in loaded)) return this.#refuse(source.id, loaded)
      await this.#options.keep(loaded)
      this.#serve(loaded)
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      // Not remembered as tried: a disk that was full may have room at the next look.
      this.#refuse('', [{ file: this.#options.directory, message }])
    }
  }

  #serve(revision: Revision): void {
    this.#tried = revision.id
    this.#problems = []
    this.#current = revision
    const { id, policies, catalog } = revision
    this.#options.report({
      kind: 'revision_served',
      policyRevision: id,
      policies: policies.length,
      services: catalog.services.length,
    })
    this.#options.onServed()
  }

  #refuse(tried: string, problems: readonly Problem[]): void {
    if (tried !== '' && tried === this.#tried) return
    this.#tried = tried
    this.#problems = problems.map(formatProblem)
    this.#options.report({ kind: 'revision_refused', problems: this.#problems })
  }
}
