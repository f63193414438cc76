import { readFile, stat } from 'node:fs/promises'
import type { Report } from '../model/event.ts'
import { type Invalid, invalid } from '../model/invalid.ts'
import { parseRevocations, type Revocations } from './revocations.ts'

/** Opens a revocations file. It must be good to begin with: a start without it would forget who is revoked. */
export async function openRevocations(
  path: string,
  report: Report,
  pollMs: number,
): Promise<RevocationsSource | readonly Invalid[]> {
  const identity = await identify(path)
  const revocations = await readRevocations(path)
  if (isProblems(revocations)) return revocations
  report({ kind: 'revocations_loaded', entries: countEntries(revocations) })
  return new RevocationsSource(path, report, pollMs, identity, revocations)
}

/** A revocations file, read again whenever it changes; what was last good stays in force. */
export class RevocationsSource implements AsyncDisposable {
  readonly #path: string
  readonly #report: Report
  readonly #timer: NodeJS.Timeout
  #identity: string
  #current: Revocations
  #refreshing: Promise<void> = Promise.resolve()

  constructor(path: string, report: Report, pollMs: number, identity: string, revocations: Revocations) {
    this.#path = path
    this.#report = report
    this.#identity = identity
    this.#current = revocations
    this.#timer = setInterval(() => void this.refresh(), pollMs).unref()
  }

  /** Who is revoked, as far as the file was last good. */
  get current(): Revocations {
    return this.#current
  }

  /** Looks at the file now; one look at a time, so that an older reading never replaces a newer one. */
  refresh(): Promise<void> {
    this.#refreshing = this.#refreshing.then(() => this.#look())
    return this.#refreshing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#refreshing
  }

  async #look(): Promise<void> {
    // Before reading: if the file changes meanwhile, the next look sees another identity and reads again.
    const identity = await identify(this.#path)
    if (identity === this.#identity) return
    this.#identity = identity
    const revocations = await readRevocations(this.#path)
    if (isProblems(revocations)) {
      this.#report({ kind: 'revocations_refused', problems: revocations.map((problem) => problem.reason) })
    } else {
      this.#current = revocations
      this.#report({ kind: 'revocations_loaded', entries: countEntries(revocations) })
    }
  }
}

/** What differs when the file does. Polled, and symbolic links followed: Kubernetes swaps a link to update a mounted file. */
async function identify(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(':')
  } catch {
    return 'unreadable'
  }
}

async function readRevocations(path: string): Promise<Revocations | readonly Invalid[]> {
  try {
    const parsed = parseRevocations(await readFile(path, 'utf8'))
    return isProblems(parsed) ? parsed.map(({ reason }) => invalid(`${path}: ${reason}`)) : parsed
  } catch (error) {
    return [invalid(`${path}: cannot be read: ${String(error)}`)]
  }
}

function isProblems(value: Revocations | readonly Invalid[]): value is readonly Invalid[] {
  return Array.isArray(value)
}

function countEntries(revocations: Revocations): number {
  return Object.values(revocations).reduce((sum, entries) => sum + entries.size, 0)
}
