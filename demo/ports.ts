import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const firstPort = 15_000
const blockSize = 100
const blocks = 170

let next = 0
let end = 0

/**
 * Finds free ports on loopback. They lie below the range of outgoing connections. Each process has a block of its own,
 * so nothing takes a port between finding and using it. Throws if every block is taken.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    if (next === end) await claimBlock()
    const port = next++
    if (await listens(port, 'once')) ports.push(port)
  }
  return ports
}

/** The first port of a block stays open while this process runs: that is the claim. */
async function claimBlock(): Promise<void> {
  const offset = randomInt(blocks)
  for (let index = 0; index < blocks; index++) {
    const claim = firstPort + ((offset + index) % blocks) * blockSize
    if (!(await listens(claim, 'for good'))) continue
    next = claim + 1
    end = claim + blockSize
    return
  }
  throw new Error(`no free port from ${firstPort} to ${firstPort + blocks * blockSize - 1}`)
}

function listens(port: number, how: 'once' | 'for good'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => {
      if (how === 'once') server.close(() => resolve(true))
      else resolve(server.unref().listening)
    })
  })
}
