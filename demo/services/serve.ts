import { createServer, type IncomingMessage } from 'node:http'
import { createCapturedMesh, createMesh, type Mesh, readBody } from '../mesh.ts'
import { type Lane, lanes } from '../world.ts'

export type Reply = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** Answers HTTP on the port that the environment names, until the process is stopped. */
export function serve(answer: (request: IncomingMessage, body: string) => Reply | Promise<Reply>): void {
  const server = createServer(async (request, response) => {
    if (request.url === '/healthz') return void response.end()
    const { status, headers, body } = await readBody(request)
      .then((text) => answer(request, text))
      .catch((error: unknown): Reply => ({ status: 502, body: String(error) }))
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  })
  server.keepAliveTimeout = 60_000
  server.listen(Number(process.env['PORT']), process.env['HOST'] ?? '127.0.0.1')
  // The parent holds the other end: when it is gone, so is the reason to run.
  process.stdin.on('end', () => process.exit(0)).resume()
}

/** The way into the mesh for each lane: this workload's ports of the ztunnel stand-in, or the pod's own network. */
export function outbound(): (lane: Lane) => Mesh {
  if (process.env['OUTBOUND_GUARDED'] === undefined) {
    const mesh = createCapturedMesh()
    return () => mesh
  }
  const meshes = new Map(
    lanes.map((lane) => [lane, createMesh(Number(process.env[`OUTBOUND_${lane.toUpperCase()}`]))]),
  )
  return (lane) => {
    const mesh = meshes.get(lane)
    if (mesh === undefined) throw new Error(`expected a lane, found \`${lane}\``)
    return mesh
  }
}

/** The path that a request is for, without its query. */
export function pathOf(request: IncomingMessage): string {
  const [path = ''] = (request.url ?? '').split('?', 1)
  return path
}

/** A request header that came once. */
export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
