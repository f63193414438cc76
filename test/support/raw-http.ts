import { connect } from 'node:http2'
import type { Duplex } from 'node:stream'

/** An answer as far as a test reads it. */
export type RawAnswer = { readonly status: number; readonly body: string }

/** Sends bytes as they are, which no HTTP client would, and reads one HTTP/1.1 answer. */
export async function sendRaw(socket: Duplex, request: Buffer): Promise<RawAnswer> {
  socket.write(request)
  let text = ''
  for await (const chunk of socket) {
    text += Buffer.from(chunk).toString()
    const answer = parseAnswer(text)
    if (answer !== undefined) return answer
  }
  throw new Error(`expected an answer, found \`${text}\``)
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
    return { status: await answered, body: Buffer.concat(chunks).toString() }
  } finally {
    session.close()
  }
}

/** `undefined` while the answer is not complete. */
function parseAnswer(text: string): RawAnswer | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = text.slice(0, end).toLowerCase()
  const body = text.slice(end + 4)
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1]
  const isChunked = head.includes('\r\ntransfer-encoding: chunked')
  const isComplete = isChunked ? body.endsWith('0\r\n\r\n') : body.length >= Number(length ?? 0)
  return isComplete ? { status: Number(head.split(' ')[1]), body } : undefined
}
