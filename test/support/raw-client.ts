import { once } from 'node:events'
import { type ClientHttp2Stream, connect, type Settings } from 'node:http2'
import { connect as connectSocket } from 'node:net'

/** The answer to a call: the `grpc-status`, or the code with which it was reset, and the message without its prefix. */
export type RawAnswer = { readonly status: unknown; readonly rstCode: number; readonly message: Buffer }

/** A call that may send what no gRPC client would. */
export type RawCall = {
  readonly stream: ClientHttp2Stream
  /** Resolves when the server has answered or reset it. */
  readonly answer: Promise<RawAnswer>
}

/** One HTTP/2 connection to a port on loopback. */
export type RawClient = AsyncDisposable & {
  /** Opens a call, sends parts of its request, and ends it or leaves it open. */
  readonly ask: (parts: readonly Uint8Array[], isEnded: boolean, path?: string) => RawCall
  /** Resolves when the server has read all that was sent before. */
  readonly heard: () => Promise<void>
}

const checkPath = '/envoy.service.auth.v3.Authorization/Check'

/** Opens a connection from an address of loopback. */
export function createRawClient(port: number, from = '127.0.0.1', settings: Settings = {}): RawClient {
  const session = connect(`http://127.0.0.1:${port}`, {
    settings,
    createConnection: () => connectSocket({ port, host: '127.0.0.1', localAddress: from }),
  })
  session.on('error', () => {})
  return {
    heard: () =>
      new Promise((resolve, reject) => {
        const ask = () => session.ping((cause) => (cause === null ? resolve() : reject(cause)))
        if (session.connecting) session.once('connect', ask)
        else ask()
      }),
    ask(parts, isEnded, path = checkPath) {
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        'grpc-encoding': 'gzip',
        te: 'trailers',
      })
      const answer = readAnswer(stream)
      for (const part of parts) stream.write(part)
      if (isEnded) stream.end()
      return { stream, answer }
    },
    async [Symbol.asyncDispose]() {
      const closed = once(session, 'close')
      session.destroy()
      await closed
    },
  }
}

function readAnswer(stream: ClientHttp2Stream): Promise<RawAnswer> {
  const chunks: Buffer[] = []
  let status: unknown
  const note = (headers: Readonly<Record<string, unknown>>) => {
    status ??= headers['grpc-status']
  }
  stream.on('response', note)
  stream.on('trailers', note)
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('error', () => {})
  return new Promise((resolve) => {
    stream.once('close', () =>
      resolve({ status, rstCode: stream.rstCode ?? 0, message: Buffer.concat(chunks).subarray(5) }),
    )
  })
}
