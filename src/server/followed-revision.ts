import { rememberLatest } from '../base/cache/remember.ts'
import type { Poller } from '../base/follow/poller.ts'
import { namesToResolve, type Resolved, withResolved } from '../policy/catalog/addresses.ts'
import { openDns } from '../policy/catalog/dns-source.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { RevisionSource, type RevisionSourceOptions } from '../policy/revision/revision-source.ts'
import type { StartContext } from './start-context.ts'

/** A revision that follows its source, with catalog names that follow DNS. */
export type FollowedRevision = {
  readonly source: RevisionSource
  readonly names: Poller
  /** The current revision. Its catalog contains the resolved addresses. */
  readonly current: () => Revision | undefined
  /** Reads the source for the first time and resolves its names. */
  readonly start: () => Promise<void>
}

const dnsPollMs = 10_000

/** Creates the followers of a policy source and of its names. There is no revision until `start`. */
export async function followRevision(
  options: Omit<RevisionSourceOptions, 'nowMs'>,
  { closing }: Pick<StartContext, 'closing'>,
): Promise<FollowedRevision> {
  let resolved: Resolved = new Map()
  let refreshNames = (): void => {}
  const source = new RevisionSource({
    ...options,
    onServed() {
      options.onServed()
      refreshNames()
    },
    nowMs: Date.now,
  })
  closing.push(source)
  const dns = await openDns({
    names: () => (source.current === undefined ? [] : namesToResolve(source.current.catalog)),
    onChange(found) {
      resolved = found
    },
    report: options.report,
    pollMs: dnsPollMs,
    nowMs: Date.now,
  })
  closing.push(dns)
  refreshNames = () => void dns.refresh()
  const resolve = rememberLatest((revision: Revision, names: Resolved): Revision => {
    return { ...revision, catalog: withResolved(revision.catalog, names) }
  })
  return {
    source,
    names: dns.poller,
    current: () => source.current && resolve(source.current, resolved),
    async start() {
      await source.start()
      await dns.refresh()
    },
  }
}
