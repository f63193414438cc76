// Loaded into a Waywarden whose cold checks are measured: counts what its memories knew. On SIGUSR2 it says so on stderr.
import { LRUCache } from 'lru-cache'

let hits = 0
let misses = 0
const get = LRUCache.prototype.get
LRUCache.prototype.get = function (...given) {
  const known = get.apply(this, given)
  if (known === undefined) misses++
  else hits++
  return known
}
process.on('SIGUSR2', () => process.stderr.write(`remembered ${JSON.stringify({ hits, misses })}\n`))
