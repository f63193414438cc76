import { Agent, type ClientRequestArgs, type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { findService } from './world.ts'

/** One plain HTTP request of a workload to a service of the mesh. */
export type MeshRequest = {
  readonly to: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

export type MeshAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  readonly ms: number
}

/** Sends a workload's requests into the mesh. */
export type Mesh = (request: MeshRequest) => Promise<MeshAnswer>

/**
 * Creates the plain HTTP client of a workload, which leaves by a port of the ztunnel stand-in. Connections are kept and
 * used again, as real agents do.
 */
export function createMesh(outboundPort: number): Mesh {
  const agents = new Map<string, Agent>()
  return ({ to, method, path, headers, body }) => {
    const { vip, vipPort, host } = findService(to)
    const address = `${vip}:${vipPort}`
    const agent = agents.get(address) ?? new TunnelAgent(outboundPort, address)
    agents.set(address, agent)
    return exchange({ agent, method, path, headers: { host: `${host}:${vipPort}`, ...headers } }, body)
  }
}

/** As `createMesh`, in a pod whose connections a ztunnel captures: it calls services by their names. */
export function createCapturedMesh(): Mesh {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  return ({ to, method, path, headers, body }) => {
    const { vipPort: port, host } = findService(to)
    return exchange({ agent, host, port, method, path, headers }, body)
  }
}

/** Opens a tunnel to a VIP: what the kernel does for a pod of an ambient mesh when the pod connects. */
export function openTunnel(outboundPort: number, address: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: outboundPort, method: 'CONNECT', path: address, agent: false })
      .on('connect', (response, socket) => {
        if (response.statusCode === 200) return resolve(socket)
        socket.destroy()
        reject(new Error(`no tunnel to ${address}: status ${response.statusCode}`))
      })
      .on('error', reject)
      .end()
  })
}

/** Reads an answer to its end. */
export async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

/** Keeps tunnels to one VIP and sends requests through them. */
class TunnelAgent extends Agent {
  readonly #outboundPort: number
  readonly #address: string

  constructor(outboundPort: number, address: string) {
    super({ keepAlive: true, maxSockets: 64 })
    this.#outboundPort = outboundPort
    this.#address = address
  }

  override createConnection(
    _: ClientRequestArgs,
    done?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    openTunnel(this.#outboundPort, this.#address).then(
      (socket) => done?.(null, socket),
      // The types want a socket even when there is none.
      (error: Error) => (done as ((error: Error) => void) | undefined)?.(error),
    )
  }
}

function exchange(options: ClientRequestArgs, body: string | undefined): Promise<MeshAnswer> {
  const startedMs = performance.now()
  return new Promise((resolve, reject) => {
    request(options, (response) => {
      const toAnswer = (text: string): MeshAnswer => ({
        status: response.statusCode ?? 0,
        headers: response.headers as Record<string, string | undefined>,
        body: text,
        ms: performance.now() - startedMs,
      })
      readBody(response).then((text) => resolve(toAnswer(text)), reject)
    })
      .on('error', reject)
      .end(body)
  })
}
