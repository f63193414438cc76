import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { checkRequestType } from './check-request.ts'

/** One call of Envoy to Waywarden, as it went over the wire. */
export type RecordedCheck = {
  readonly metadata: IncomingHttpHeaders
  readonly sourcePrincipal: string
  readonly destinationAddress: string
}

export type CheckRecorder = AsyncDisposable & { readonly checks: readonly RecordedCheck[] }

type Attributes = {
  readonly source: { readonly principal: string }
  readonly destination: { readonly address: { readonly socket_address: { readonly address: string } } }
}

const checkPath = '/envoy.service.auth.v3.Authorization/Check'
/** One compression flag and four bytes of length stand before a gRPC message. */
const grpcPrefixBytes = 5

/** Stands between Envoy and Waywarden, passes everything through, and keeps what Envoy asked. */
export async function recordChecks(port: number, waywardenPort: number): Promise<CheckRecorder> {
  const checks: RecordedCheck[] = []
  const sessions = new Set<Http2Session>()
  const waywarden = connect(`http://127.0.0.1:${waywardenPort}`)
  const server = createServer()
  server.on('session', (session) => sessions.add(session))
  server.on('stream', (stream, metadata) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const body = Buffer.concat(chunks)
      if (metadata[':path'] === checkPath) checks.push(toRecordedCheck(metadata, body))
      forward(stream, metadata, body, waywarden)
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    checks,
    [Symbol.asyncDispose]: async () => {
      waywarden.destroy()
      for (const session of sessions) session.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function toRecordedCheck(metadata: IncomingHttpHeaders, body: Buffer): RecordedCheck {
  const message = checkRequestType.decode(body.subarray(grpcPrefixBytes))
  const { attributes } = checkRequestType.toObject(message, { defaults: true }) as {
    readonly attributes: Attributes
  }
  return {
    metadata,
    sourcePrincipal: attributes.source.principal,
    destinationAddress: attributes.destination.address.socket_address.address,
  }
}

function forward(
  stream: ServerHttp2Stream,
  metadata: IncomingHttpHeaders,
  body: Buffer,
  waywarden: ClientHttp2Session,
): void {
  const { ':scheme': _scheme, ':authority': _authority, ...headers } = metadata
  const call = waywarden.request(headers)
  stream.on('error', () => call.close())
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  let trailers: IncomingHttpHeaders = {}
  call.on('error', () => stream.destroy())
  call.on('response', (response, flags) => {
    // Flag 1 is END_STREAM: an answer of headers alone.
    if ((flags & 1) === 1) stream.respond(response, { endStream: true })
    else stream.respond(response, { waitForTrailers: true })
  })
  call.on('trailers', (last) => {
    trailers = last
  })
  call.on('data', (chunk: Buffer) => stream.write(chunk))
  call.on('end', () => stream.end())
  call.end(body)
}
