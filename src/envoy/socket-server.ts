import { constants } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { type CertificateSource, type Certificates, parseUriSans } from './tls.ts'

/** Handles a connection that is ready to speak, with the URI SANs of its peer's certificate. */
export type OnSocket = (socket: Socket, tlsPeerUris: readonly string[]) => void

/** Accepts connections, over TLS if there are certificates, which follow their source. */
export function createSocketServer(
  source: CertificateSource | undefined,
  handshakeMs: number,
  onSocket: OnSocket,
): Server {
  return source === undefined
    ? createPlainServer(onSocket)
    : createSecureServer(source, handshakeMs, onSocket)
}

function createPlainServer(onSocket: OnSocket): Server {
  return createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    onSocket(socket, [])
  })
}

function createSecureServer(source: CertificateSource, handshakeMs: number, onSocket: OnSocket): Server {
  const provesClients = source.current().clientCa !== undefined
  const server = createTlsServer(
    {
      ...toContext(source.current()),
      ALPNProtocols: ['h2'],
      requestCert: provesClients,
      rejectUnauthorized: provesClients,
      handshakeTimeout: handshakeMs,
      noDelay: true,
    },
    (socket) => accept(socket, onSocket),
  )
  const stopFollowing = source.onChange(() => server.setSecureContext(toContext(source.current())))
  server.on('tlsClientError', (_cause, socket) => socket.destroy())
  server.on('close', stopFollowing)
  return server
}

/**
 * TLS 1.2 is the oldest version that HTTP/2 allows (RFC 9113 §9.2). Sessions are not resumed, because a resumed one would
 * rely on an earlier CA.
 */
function toContext({ cert, key, clientCa }: Certificates): SecureContextOptions {
  const secureOptions = constants.SSL_OP_NO_TICKET
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    secureOptions,
    ...(clientCa === undefined ? {} : { ca: clientCa }),
  }
}

function accept(socket: TLSSocket, onSocket: OnSocket): void {
  socket.on('error', () => socket.destroy())
  if (socket.alpnProtocol !== 'h2') socket.destroy()
  else
    onSocket(socket, socket.authorized ? parseUriSans(socket.getPeerCertificate().subjectaltname ?? '') : [])
}
