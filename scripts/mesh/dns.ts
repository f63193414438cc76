import { createSocket, type Socket } from 'node:dgram'
import { nodeAddress } from './network.ts'

const typeA = 1
const nameError = 3

/** Answers names of services as a cluster's DNS does: only IPv4, only cluster IPs, only over UDP. */
export function serveDns(resolve: (name: string) => string | undefined): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('message', (query, { address, port }) => {
    const answer = toAnswer(query, resolve)
    if (answer !== undefined) socket.send(answer, port, address)
  })
  return new Promise((ready, fail) => {
    socket.once('error', fail)
    socket.bind(53, nodeAddress, () => ready(socket))
  })
}

/** RFC 1035 §4: one question; its answer has one address or says that the name does not exist. */
function toAnswer(query: Buffer, resolve: (name: string) => string | undefined): Buffer | undefined {
  if (query.length < 17) return undefined
  const labels: string[] = []
  let offset = 12
  for (let length = query[offset] ?? 0; length > 0; length = query[offset] ?? 0) {
    labels.push(query.toString('latin1', offset + 1, offset + 1 + length))
    offset += 1 + length
  }
  if (offset + 5 > query.length) return undefined
  const type = query.readUInt16BE(offset + 1)
  const question = query.subarray(12, offset + 5)
  const address = resolve(labels.join('.').toLowerCase())
  const isAnswered = address !== undefined && type === typeA
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  // A response, authoritative, recursion wanted and offered.
  header.writeUInt16BE(0x8580 | (address === undefined ? nameError : 0), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(isAnswered ? 1 : 0, 6)
  if (!isAnswered) return Buffer.concat([header, question])
  const record = Buffer.alloc(16)
  // A pointer to the name in the question, type A, class IN, 5 seconds, 4 bytes.
  record.writeUInt16BE(0xc00c, 0)
  record.writeUInt16BE(typeA, 2)
  record.writeUInt16BE(1, 4)
  record.writeUInt32BE(5, 6)
  record.writeUInt16BE(4, 10)
  for (const [index, part] of address.split('.').entries()) record.writeUInt8(Number(part), 12 + index)
  return Buffer.concat([header, question, record])
}
