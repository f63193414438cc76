import { isFailure } from '../base/model/failure.ts'
import { formatCount } from '../base/text/count.ts'
import { listFew } from '../base/text/few.ts'
import { elapsedMs } from './by-deadline.ts'
import { type FetchedSet, fetchSet } from './provider-keys/fetch-set.ts'
import type { FeedRequest, FeedState } from './provider-keys/key-feed.ts'
import { createLocator } from './provider-keys/locator.ts'
import type { OpenFeed } from './provider-keys/open-feed.ts'

/** Providers' keys in a trial: fetched once, or left out. Nothing is written to `keep`. */
export type TriedKeys = {
  readonly openFeed: OpenFeed
  /** Why keys could not be fetched: their provider's logins would be refused. */
  readonly problems: readonly string[]
  /** The keys that were fetched, a line for each provider. */
  readonly found: readonly string[]
  readonly untried: readonly string[]
}

/** Creates the feeds of a trial, which fill its lists when they are opened. */
export function createTriedKeys(isOnline: boolean): TriedKeys {
  const [problems, found, untried]: [string[], string[], string[]] = [[], [], []]
  const open = async (request: FeedRequest): Promise<FeedState> => {
    const { name, source } = request
    if (!isOnline) {
      untried.push(`the keys of \`${name}\`, ${source.url}: \`--online\` fetches them`)
      return { set: undefined, notices: [] }
    }
    const fetched = await fetchSet(request, createLocator(source, elapsedMs), new AbortController().signal)
    if (isFailure(fetched)) {
      problems.push(`${fetched.reason}; every login of \`${name}\` would be refused`)
      return { set: undefined, notices: [] }
    }
    found.push(describe(request, fetched))
    return { set: { text: fetched.text, readAtMs: Date.now() }, notices: [] }
  }
  const openFeed: OpenFeed = async (request) => {
    const state = await open(request)
    return { state: () => state, onChange() {}, fetchKey: async () => ({ kind: 'failed' }) }
  }
  return { openFeed, problems, found, untried }
}

function describe({ key, name, source }: FeedRequest, { url, keys }: FetchedSet): string {
  const named = [...keys.keys.values()].map(({ kid, alg }) => `\`${kid}\` (${alg})`)
  const way = source.discovery === undefined ? '' : `, which ${source.url} names`
  return `\`${key}\`: \`${name}\` has ${formatCount(named.length, 'usable key')} at ${url}${way}: ${listFew(named)}`
}
