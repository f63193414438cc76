// Loaded into a Waywarden whose cold checks are measured: counts what its memories of chains and decisions knew. On
// SIGUSR2 it says so on stderr. Counts decisions only: SPIFFE IDs that were parsed before, or how the engine's answers
// read.
import { LRUCache } from 'lru-cache'

/** `cache.chains` and `cache.decisions` by default: by these, and no other number, the memories that count are bounded. */
const counted = new Set([5000, 20_000])
let hits = 0
let misses = 0
const get = LRUCache.prototype.get
LRUCache.prototype.get = function (...given) {
  const known = get.apply(this, given)
  if (!counted.has(this.max)) return known
  if (known === undefined) misses++
  else hits++
  return known
}
process.on('SIGUSR2', () => process.stderr.write(`remembered ${JSON.stringify({ hits, misses })}\n`))
