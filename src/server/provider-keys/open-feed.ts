import { reportAs } from '../../base/follow/poller.ts'
import type { Report } from '../../base/model/event.ts'
import type { UserIssuerConfig } from '../../config/user-issuer.ts'
import { elapsedMs } from '../by-deadline.ts'
import type { FeedRequest, KeyFeed } from './key-feed.ts'
import { RemoteSet } from './remote-set.ts'

/** Opens the feed of a provider's keys. Never rejects for a provider that does not answer. */
export type OpenFeed = (request: FeedRequest) => Promise<KeyFeed>

/** How long a start waits for a provider; without an answer it serves by what was kept. */
const patienceMs = 2000

/** Opens feeds that this process fetches by itself. They end with `closing`. */
export function fetchFeeds(closing: AsyncDisposable[], report: Report): OpenFeed {
  return async (request) => {
    const onNews = reportAs('issuer_keys', report)
    const set = new RemoteSet({ ...request, onNews, nowMs: Date.now, elapsedMs })
    closing.push(set)
    await set.start(patienceMs)
    return set
  }
}

/** Lists the providers whose keys are fetched. No two have the same issuer (config/user-issuer-rules.ts). */
export function feedRequests(users: readonly UserIssuerConfig[]): readonly FeedRequest[] {
  return users.flatMap(({ name, issuer, keySource }, index) =>
    keySource.kind === 'remote' ? [{ name, issuer, key: `users.${index}.keys`, source: keySource }] : [],
  )
}
