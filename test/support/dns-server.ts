import { createSocket, type Socket } from 'node:dgram'
import { createServer, type Server } from 'node:net'

/** What the server says of a name: A records, no such name, no answer at all, or "too long, ask by TCP". */
export type DnsAnswer = readonly string[] | 'nxdomain' | 'silence' | { readonly byTcp: readonly string[] }

/** A small DNS server on loopback (RFC 1035), for A records; AAAA answers are empty. */
export class DnsServer implements AsyncDisposable {
  readonly answers: Map<string, DnsAnswer> = new Map()
  readonly #udp: Socket
  readonly #tcp: Server
  readonly port: number

  constructor(udp: Socket, tcp: Server) {
    this.#udp = udp
    this.#tcp = tcp
    this.port = udp.address().port
    udp.on('message', (query, { port, address }) => {
      const response = this.#answer(query, false)
      if (response !== undefined) udp.send(response, port, address)
    })
    tcp.on('connection', (socket) => {
      socket.on('data', (data) => {
        const response = this.#answer(data.subarray(2), true)
        if (response !== undefined) socket.write(Buffer.concat([uint16(response.length), response]))
      })
    })
  }

  #answer(query: Buffer, isTcp: boolean): Buffer | undefined {
    const { name, end } = readName(query)
    const answer = this.answers.get(name) ?? 'nxdomain'
    if (answer === 'silence') return undefined
    const isA = query.readUInt16BE(end) === 1
    const isTruncated = typeof answer === 'object' && 'byTcp' in answer && !isTcp
    const all = answer === 'nxdomain' ? [] : 'byTcp' in answer ? answer.byTcp : answer
    const addresses = isA && !isTruncated ? all : []
    const flags = 0x8180 | (isTruncated ? 0x0200 : 0) | (answer === 'nxdomain' ? 3 : 0)
    const counts = [1, addresses.length, 0, 0].map(uint16)
    const question = query.subarray(12, end + 4)
    // A pointer to the question's name; type A, class IN, no time to live, four bytes.
    const records = addresses.map((address) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
    )
    return Buffer.concat([query.subarray(0, 2), uint16(flags), ...counts, question, ...records])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()))
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()))
  }
}

/** Starts the server on one port of loopback for UDP and TCP. */
export async function startDnsServer(): Promise<DnsServer> {
  const tcp = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => tcp.once('listening', resolve))
  const bound = tcp.address()
  const udp = createSocket('udp4').bind(typeof bound === 'object' ? bound?.port : 0, '127.0.0.1')
  await new Promise<void>((resolve) => udp.once('listening', resolve))
  return new DnsServer(udp, tcp)
}

function readName(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let offset = 12
  for (let length = query[offset] ?? 0; length > 0; length = query[offset] ?? 0) {
    labels.push(query.toString('latin1', offset + 1, offset + 1 + length))
    offset += 1 + length
  }
  return { name: labels.join('.'), end: offset + 1 }
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}
