import { createSocket, type Socket } from 'node:dgram'
import { createServer, type Server } from 'node:net'

/** Records of one family, or a response code of RFC 1035 §4.1.1; `silence` is no answer at all. */
export type FamilyAnswer = readonly string[] | keyof typeof responseCodes | 'silence'

/** The server's answers for a name: A records alone, both families, or "too long, ask by TCP". */
export type DnsAnswer =
  | FamilyAnswer
  | { readonly A: FamilyAnswer; readonly AAAA: FamilyAnswer }
  | { readonly byTcp: readonly string[] }

const responseCodes = { formerr: 1, servfail: 2, nxdomain: 3, notimp: 4, refused: 5 } as const

/** A small DNS server on loopback (RFC 1035), for A and AAAA records. */
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
    const isA = query.readUInt16BE(end) === 1
    const answer = toFamily(this.answers.get(name) ?? 'nxdomain', isA ? 'A' : 'AAAA', isTcp)
    if (answer === 'silence') return undefined
    const isTruncated = answer === 'truncated'
    const code = typeof answer === 'string' && !isTruncated ? responseCodes[answer] : 0
    const addresses = typeof answer === 'string' ? [] : answer
    const flags = 0x8180 | (isTruncated ? 0x0200 : 0) | code
    const counts = [1, addresses.length, 0, 0].map(uint16)
    const question = query.subarray(12, end + 4)
    // A pointer to the question's name; its type, class IN, no time to live, the address.
    const records = addresses.map((address) => {
      const data = isA ? Buffer.from(address.split('.').map(Number)) : toIpv6(address)
      return Buffer.concat([
        Buffer.from([0xc0, 12, 0, isA ? 1 : 28, 0, 1, 0, 0, 0, 0]),
        uint16(data.length),
        data,
      ])
    })
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

/** The server's answer to one question; a plain list is of A records. */
function toFamily(answer: DnsAnswer, family: 'A' | 'AAAA', isTcp: boolean): FamilyAnswer | 'truncated' {
  if (typeof answer === 'string') return answer
  if ('byTcp' in answer) return family === 'AAAA' ? [] : isTcp ? answer.byTcp : 'truncated'
  if ('A' in answer) return answer[family]
  return family === 'A' ? answer : []
}

/** A whole address, without `::`. */
function toIpv6(address: string): Buffer {
  return Buffer.concat(address.split(':').map((group) => uint16(Number.parseInt(group, 16))))
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
