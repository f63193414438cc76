import { explainFileError } from '../../base/follow/file-error.ts'
import { type Polled, Poller, type PollNews } from '../../base/follow/poller.ts'
import { toNotices } from '../../base/follow/standing-texts.ts'
import { isFault } from '../../base/model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { type ProviderKeys, parseProviderKeys } from '../../decision/jws/provider-keys.ts'
import { fetchSet } from './fetch-set.ts'
import { type KeptOf, keepSet, readKept, readSeed, refuseAge } from './kept-set.ts'
import type { FeedRequest, FeedState, KeyFeed, KeyFetch, PublishedSet } from './key-feed.ts'
import { createLocator, type Locator } from './locator.ts'
import { createPace, type Pace } from './pace.ts'

/** The followed provider, and the listeners for its news. */
export type RemoteSetOptions = FeedRequest & {
  readonly onNews: (news: PollNews) => void
  /** Wall clock. */
  readonly nowMs: () => number
  /** Monotonic clock. */
  readonly elapsedMs: () => number
}

/** So many fetches for keys that nobody knows may follow each other: a provider may change its keys twice, and lie once. */
const turnsAtOnce = 3

/**
 * A provider's set of keys, fetched again and again. A good set replaces the one before as a whole: a key that is
 * withdrawn is believed no more. A failed fetch, or a set without a usable key, changes nothing.
 */
export class RemoteSet implements KeyFeed, AsyncDisposable {
  readonly #options: RemoteSetOptions
  readonly #poller: Poller
  readonly #pace: Pace
  readonly #locator: Locator
  readonly #listeners = new Set<() => void>()
  #set: PublishedSet | undefined
  #inForce: ProviderKeys | undefined
  /** The fetch under way, how many were begun, and whether the last one brought a good set. */
  #underWay: Promise<void> | undefined
  #begun = 0
  #isGood = false
  #keeping: Promise<void> = Promise.resolve()
  readonly #closing = new AbortController()
  /** The problems of the set's files; a notice each. */
  #keptProblem: string | undefined
  #seedProblem: string | undefined

  constructor(options: RemoteSetOptions) {
    this.#options = options
    const { source, onNews, elapsedMs } = options
    this.#pace = createPace(turnsAtOnce, source.cooldownMs, elapsedMs)
    this.#locator = createLocator(source, elapsedMs)
    this.#poller = new Poller({
      poll: () => this.#poll(),
      everyMs: source.everyMs,
      onNews: (news) => {
        onNews(news)
        this.#announce()
      },
    })
  }

  /**
   * Fetches for the first time, and follows. After `patienceMs` without an answer, what was kept or given as a seed serves:
   * while the provider answers, an old set never does.
   */
  async start(patienceMs: number): Promise<void> {
    let cancel = (): void => {}
    const patience = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs)
      cancel = () => clearTimeout(timer)
    })
    await Promise.race([this.#begin(), patience])
    cancel()
    if (this.#set === undefined) await this.#restore()
    this.#poller.start()
  }

  state(): FeedState {
    const { name } = this.#options
    const files = [this.#keptProblem, this.#seedProblem].filter((problem) => problem !== undefined)
    return {
      set: this.#set,
      notices: [
        ...(this.#set === undefined ? [`users \`${name}\`: no keys yet: every login is refused`] : []),
        ...files,
        ...this.#poller.standing.flatMap(toNotices),
      ],
    }
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  async fetchKey(kid: string): Promise<KeyFetch> {
    const askedAt = this.#begun
    for (;;) {
      if (this.#underWay === undefined) {
        const turn = this.#pace.take()
        if (turn !== 'taken') return { kind: 'too_soon', retryMs: turn.waitMs }
        void this.#begin()
      }
      const awaited = this.#begun
      await this.#underWay
      if (this.#inForce?.keys.has(kid) === true) return { kind: 'brought' }
      // One that was under way already may have been answered before the provider had the key.
      if (awaited > askedAt) return { kind: this.#isGood ? 'lacking' : 'failed' }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#keeping
    await this.#poller[Symbol.asyncDispose]()
  }

  #begin(): Promise<void> {
    return this.#mark(this.#poller.refresh())
  }

  #poll(): Promise<Polled> {
    const polled = this.#fetch()
    // The timer has begun it.
    if (this.#underWay === undefined) void this.#mark(polled.then(() => {}))
    return polled
  }

  #mark(fetch: Promise<void>): Promise<void> {
    this.#begun++
    const underWay = fetch.finally(() => {
      if (this.#underWay === underWay) this.#underWay = undefined
    })
    this.#underWay = underWay
    return underWay
  }

  async #fetch(): Promise<Polled> {
    const { nowMs } = this.#options
    this.#isGood = false
    const fetched = await fetchSet(this.#options, this.#locator, this.#closing.signal, this.#inForce)
    if (isFault(fetched)) return { faults: [fetched.reason], refusals: 'unchanged' }
    if (isInvalid(fetched)) return { faults: [], refusals: [fetched.reason] }
    const { text, keys } = fetched
    this.#isGood = true
    this.#serve({ text, readAtMs: nowMs() }, keys)
    this.#seedProblem = undefined
    this.#announce()
    // A slow disk keeps no login waiting.
    this.#keeping = this.#keeping.then(() => this.#keep())
    return { faults: [], refusals: [] }
  }

  #serve(set: PublishedSet, keys: ProviderKeys): void {
    this.#set = set
    this.#inForce = keys
  }

  async #keep(): Promise<void> {
    const { key, source } = this.#options
    if (source.keep === undefined || this.#set === undefined) return
    try {
      await keepSet(source.keep, this.#set, this.#of())
      this.#keptProblem = undefined
    } catch (cause) {
      const why = explainFileError(source.keep, cause).replace('read it', 'write there')
      this.#keptProblem = `\`${key}.keep\`: ${source.keep} cannot be written: ${why}`
    }
  }

  /** Serves what an earlier process kept, else the seed; neither if it is too old. */
  async #restore(): Promise<void> {
    const { key, source, nowMs } = this.#options
    const { keep, seed, maxStalenessMs } = source
    if (keep !== undefined) {
      const kept = await readKept(keep, this.#of(), nowMs(), maxStalenessMs)
      const problem = kept === undefined ? undefined : this.#restoreOne(kept)
      this.#keptProblem = problem && `\`${key}.keep\`: ${keep} is not believed: ${problem}`
    }
    if (seed !== undefined && this.#set === undefined) {
      const problem = this.#restoreOne(await readFirst(seed))
      this.#seedProblem = problem && `\`${key}.seed\`: ${seed} is not believed: ${problem}`
    }
    this.#announce()
  }

  #restoreOne(set: PublishedSet | Invalid): string | undefined {
    if (isInvalid(set)) return set.reason
    // The provider may have answered meanwhile.
    if (this.#set !== undefined) return undefined
    const { nowMs, source } = this.#options
    const old = refuseAge(set.readAtMs, nowMs(), source.maxStalenessMs)
    if (old !== undefined) return old.reason
    const keys = parseProviderKeys(set.text)
    if (isInvalid(keys)) return keys.reason
    this.#serve(set, keys)
    return undefined
  }

  #of(): KeptOf {
    const { issuer, source } = this.#options
    return { issuer, source: source.url }
  }

  #announce(): void {
    for (const listener of this.#listeners) listener()
  }
}

async function readFirst(path: string): ReturnType<typeof readSeed> {
  try {
    return await readSeed(path)
  } catch (cause) {
    return invalid(`it cannot be read: ${explainFileError(path, cause)}`)
  }
}
