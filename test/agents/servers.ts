import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Listening = AsyncDisposable & { readonly server: Server; readonly port: number }

/** Serves on a free loopback port until it is disposed. */
export async function listen(listener: RequestListener): Promise<Listening> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    server,
    port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Answers every request with the chain that it came with, or `none`. */
export const echoChain: RequestListener = (request, response) => {
  response.end(String(request.headers['actor-chain'] ?? 'none'))
}

/** Answers `/hop?to=URL` with a redirect there, and everything else with the chain that it came with. */
export const redirectOrEcho: RequestListener = (request, response) => {
  const to = new URL(request.url ?? '', 'http://unused').searchParams.get('to')
  if (to === null) return echoChain(request, response)
  response.writeHead(302, { location: to }).end()
}
