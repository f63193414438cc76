// Loaded into a Waywarden whose memory is measured: on SIGUSR2 it collects garbage, and says on stderr how much heap is
// in use then. Read the resident size before.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

process.on('SIGUSR2', () => {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  process.stderr.write(`heap ${JSON.stringify({ usedBytes: process.memoryUsage().heapUsed })}\n`)
})
