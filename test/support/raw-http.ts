import { connect } from 'node:http2'
import type { Duplex } from 'node:stream'

/** An answer as far as a test reads it. */
export type RawAnswer = { readonly status: number; readonly headers: string; readonly body: string }

/** Sends bytes as they are, which no HTTP client would, and reads one answer until the peer closes. */
export async function sendRaw(socket: Duplex, request: Buffer): Promise<RawAnswer> {
  socket.write(request)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(Buffer.from(chunk))
  const text = Buffer.concat(chunks).toString()
  const [headers = '', body = ''] = text.split('\r\n\r\n', 2)
  return { status: Number(headers.split(' ')[1]), headers: headers.toLowerCase(), body }
}

/** Sends one request by HTTP/2, pseudo headers as given. */
export async function sendHttp2(
  socket: Duplex,
  headers: Readonly<Record<string, string>>,
): Promise<RawAnswer> {
  const session = connect('http://mesh', { createConnection: () => socket })
  try {
    const stream = session.request(headers)
    const answered = new Promise<number>((resolve, reject) => {
      stream.on('response', (response) => resolve(Number(response[':status'])))
      stream.on('error', reject)
    })
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(Buffer.from(chunk))
    return { status: await answered, headers: '', body: Buffer.concat(chunks).toString() }
  } finally {
    session.close()
  }
}
