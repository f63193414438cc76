import { Server, ServerCredentials } from '@grpc/grpc-js'
import { checkResponseType } from '../../test/support/check-request.ts'

// An ext_authz server that reads and decides nothing. Every answer is the same bytes: an allow with a header as long as
// Waywarden's chain. grpc-js alone, at its cheapest.

const answer = checkResponseType
  .encode(
    checkResponseType.fromObject({
      status: {},
      ok_response: { headers: [{ header: { key: 'actor-chain', value: 't'.repeat(900) } }] },
    }),
  )
  .finish()
const server = new Server()
server.addService(
  {
    check: {
      path: '/envoy.service.auth.v3.Authorization/Check',
      requestStream: false,
      responseStream: false,
      requestSerialize: (bytes: Buffer) => bytes,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
      responseDeserialize: (bytes: Buffer) => bytes,
    },
  },
  {
    check: (_: unknown, callback: (error: null, value: Uint8Array) => void) => callback(null, answer),
  },
)
server.bindAsync(process.argv[2] ?? '', ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error
})
