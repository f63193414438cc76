import { ChannelCredentials, Client, Metadata } from '@grpc/grpc-js'

/** PEM texts for a client that speaks TLS; with `cert` and `key` it shows a certificate of its own. */
export type ClientTls = { readonly ca: string; readonly cert?: string; readonly key?: string }

/** gRPC call metadata; a list sends the key several times. */
export type CallMetadata = Readonly<Record<string, string | Buffer | readonly string[]>>

/** A connection to a Waywarden on loopback that carries bytes as they are. */
export type GrpcClient = {
  /** Sends one Check; rejects with a gRPC ServiceError. */
  readonly check: (bytes: Uint8Array, metadata?: CallMetadata, deadlineMs?: number) => Promise<Buffer>
  /** Sends one unary call to any method. */
  readonly call: (
    path: string,
    bytes: Uint8Array,
    metadata?: CallMetadata,
    deadlineMs?: number,
  ) => Promise<Buffer>
  readonly close: () => void
}

const checkPath = '/envoy.service.auth.v3.Authorization/Check'

/** Opens a client of a port on loopback, or of a `unix:` name, that stays open until `close`; deadlines are milliseconds from now. */
export function createGrpcClient(port: number | string, tls?: ClientTls): GrpcClient {
  const target = typeof port === 'string' ? port : `127.0.0.1:${port}`
  const client = new Client(target, toCredentials(tls), {
    'grpc.ssl_target_name_override': 'localhost',
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
  })
  const call: GrpcClient['call'] = (path, bytes, metadata = {}, deadlineMs = 5000) =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        (request: Uint8Array) => Buffer.from(request),
        (response: Buffer) => response,
        bytes,
        toMetadata(metadata),
        { deadline: Date.now() + deadlineMs },
        (error, response) => {
          if (error !== null) reject(error)
          else if (response === undefined) reject(new Error('the server sent neither an answer nor an error'))
          else resolve(response)
        },
      )
    })
  return {
    call,
    check: (bytes, metadata, deadlineMs) => call(checkPath, bytes, metadata, deadlineMs),
    close: () => client.close(),
  }
}

/** Sends one Check over a connection of its own. */
export async function check(
  port: number | string,
  bytes: Uint8Array,
  metadata?: CallMetadata,
  tls?: ClientTls,
): Promise<Buffer> {
  const client = createGrpcClient(port, tls)
  try {
    return await client.check(bytes, metadata)
  } finally {
    client.close()
  }
}

function toCredentials(tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return ChannelCredentials.createInsecure()
  const { ca, cert, key } = tls
  return ChannelCredentials.createSsl(
    Buffer.from(ca),
    key === undefined ? null : Buffer.from(key),
    cert === undefined ? null : Buffer.from(cert),
    // A SPIFFE certificate names no host, so only its signature is checked here.
    { checkServerIdentity: () => undefined },
  )
}

function toMetadata(fields: CallMetadata): Metadata {
  const metadata = new Metadata()
  for (const [key, values] of Object.entries(fields)) {
    for (const value of isList(values) ? values : [values]) metadata.add(key, value)
  }
  return metadata
}

function isList(values: CallMetadata[string]): values is readonly string[] {
  return Array.isArray(values)
}
