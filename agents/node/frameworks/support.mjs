import { createServer } from 'node:http'
import { runWithChain } from 'waywarden-agent'

export const calls = 1000

/** Echoes the chain, redirects `/?to=URL`, and counts what came by a name that is not listed. */
export async function startUpstream() {
  const seen = { total: 0, leaked: 0 }
  const served = await serve((request, response) => {
    const to = new URL(request.url, 'http://unused').searchParams.get('to')
    const chain = request.headers['actor-chain'] ?? 'none'
    seen.total += 1
    if (request.headers.host.startsWith('localhost') && chain !== 'none') seen.leaked += 1
    if (to !== null) response.writeHead(302, { location: to })
    response.end(chain)
  })
  return { ...served, seen }
}

/** Serves on a free loopback port, known by a listed and by an unlisted name. */
export async function serve(listener) {
  const server = createServer(listener)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', 512, resolve))
  const { port } = server.address()
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { listed: `http://127.0.0.1:${port}/`, unlisted: `http://localhost:${port}/`, close }
}

/** Runs `work(user)` that often, for both users in turn, many at a time. */
export async function asTwoUsers(times, work) {
  const users = Array.from({ length: times }, (_, index) => (index % 2 === 0 ? 'clerk' : 'clinician'))
  const serveSome = async () => {
    for (let user = users.pop(); user !== undefined; user = users.pop()) {
      const served = user
      await runWithChain(served, () => work(served))
    }
  }
  await Promise.all(Array.from({ length: 32 }, serveSome))
}
