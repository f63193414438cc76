import type { ListenOptions, Server } from 'node:net'
import { formatAddress } from '../base/http/address.ts'
import { listenOnSocketFile } from './socket-file.ts'
import {
  type Endpoint,
  type GrpcListener,
  type SocketFile,
  TransportError,
  toSocketName,
} from './transport.ts'

/** The bound address, and the function that releases it. */
export type Bound = { readonly address: string; readonly port: number; readonly release: () => Promise<void> }

/** Listens, unless connections come from a `socketSource`. Throws a `TransportError` after it has closed the server. */
export async function bindServer(server: Server, listener: ListenTarget): Promise<Bound> {
  try {
    return listener.socketSource === undefined ? await bind(server, listener) : withoutListening(listener)
  } catch (cause) {
    server.close()
    throw cause
  }
}

/** The connections come from elsewhere. The address is as configured, and there is nothing to release. */
function withoutListening(listener: ListenTarget): Bound {
  const release = async () => {}
  if (listener.path !== undefined) return { address: toSocketName(listener.path), port: 0, release }
  return { address: formatAddress(listener.address, listener.port), port: listener.port, release }
}

type ListenTarget = Pick<GrpcListener, 'socketSource'> & (Endpoint | SocketFile)

async function bind(server: Server, listener: ListenTarget): Promise<Bound> {
  if (listener.path !== undefined) {
    const address = toSocketName(listener.path)
    const release = await listenOnSocketFile(listener, (path) => open(server, { path }, address))
    return { address, port: 0, release }
  }
  const { address: host, port } = listener
  await open(server, { host, port }, formatAddress(host, port))
  const bound = server.address()
  const ownPort = typeof bound === 'object' && bound !== null ? bound.port : port
  return { address: formatAddress(host, ownPort), port: ownPort, release: async () => {} }
}

function open(server: Server, where: ListenOptions, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error) => reject(new TransportError(`cannot listen on \`${name}\``, { cause }))
    server.once('error', refuse)
    server.listen(where, () => {
      server.off('error', refuse)
      resolve()
    })
  })
}
