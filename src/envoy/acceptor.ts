import { createServer, type Socket } from 'node:net'
import { bindServer } from './bound.ts'
import type { Endpoint, SocketFile } from './transport.ts'

/** A listener that accepts connections for other processes. */
export type Acceptor = AsyncDisposable & { readonly address: string; readonly port: number }

/**
 * Accepts connections and reads nothing from them, so that the receiver reads each from its first byte. Throws a
 * `TransportError`.
 */
export async function createAcceptor(
  place: Endpoint | SocketFile,
  onSocket: (socket: Socket) => void,
): Promise<Acceptor> {
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    // A connection that ends before a worker has it needs no report.
    socket.on('error', () => socket.destroy())
    onSocket(socket)
  })
  const { address, port, release } = await bindServer(server, place)
  return {
    address,
    port,
    async [Symbol.asyncDispose]() {
      // Not awaited: closing ends with the last connection, and connections belong to other processes.
      server.close()
      await release()
    },
  }
}
