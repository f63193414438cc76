// Loaded into a Waywarden whose cold checks are measured: counts what its memories of chains and decisions knew. On SIGUSR2
// it says so on stderr. The small memories of names, such as SPIFFE IDs that were parsed before, are not counted.
import { LRUCache } from 'lru-cache'

/** `cache.chains` by default, the smaller of the two keys that say how many chains and decisions are kept. */
const leastEntries = 20_000
let hits = 0
let misses = 0
const get = LRUCache.prototype.get
LRUCache.prototype.get = function (...given) {
  const known = get.apply(this, given)
  if (this.max < leastEntries) return known
  if (known === undefined) misses++
  else hits++
  return known
}
process.on('SIGUSR2', () => process.stderr.write(`remembered ${JSON.stringify({ hits, misses })}\n`))
