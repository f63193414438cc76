import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'

/** A real HTTP proxy, and what it was asked to reach, with the headers that came along. */
export type ConnectProxy = AsyncDisposable & {
  readonly url: string
  readonly asked: readonly { readonly target: string; readonly headers: IncomingHttpHeaders }[]
}

/** Starts a proxy that tunnels to this machine for clients that present `credentials`, `user:password`, if there are any. */
export async function startConnectProxy(credentials?: string): Promise<ConnectProxy> {
  const asked: { target: string; headers: IncomingHttpHeaders }[] = []
  const wanted =
    credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
  const sockets = new Set<Duplex>()
  const server = createServer((_request, response: ServerResponse) => response.writeHead(405).end())
  server.on('connect', ({ url = '', headers }, client: Duplex) => {
    asked.push({ target: url, headers })
    if (wanted !== undefined && headers['proxy-authorization'] !== wanted) {
      client.end('HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nConnection: close\r\n\r\n')
      return
    }
    const upstream = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connected\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
