import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join, resolve } from 'node:path'
import type { GitRemote } from './git-remote.ts'

/** A repository behind a TLS server of its own; `certificate` is the file of the CA that vouches for it. */
export type HttpsRemote = AsyncDisposable & { readonly url: string; readonly certificate: string }

const keys = 'test/support/keys'

/** Serves a repository as a plain web server would, to clients that present the credentials `user:password`. */
export async function serveHttps(remote: GitRemote, credentials: string): Promise<HttpsRemote> {
  remote.git('update-server-info')
  const wanted = `Basic ${Buffer.from(credentials).toString('base64')}`
  const certificate = resolve(`${keys}/loopback-tls.crt.pem`)
  const files = { key: readFileSync(`${keys}/loopback-tls.key.pem`), cert: readFileSync(certificate) }
  const server = createServer(files, (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'https://x')
    const path = join(remote.directory, '.git', pathname.replace('/policies', ''))
    if (request.headers.authorization !== wanted) response.writeHead(401).end()
    else if (existsSync(path)) response.end(readFileSync(path))
    else response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/policies`,
    certificate,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
