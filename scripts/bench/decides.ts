import { decodeCheckResponse } from '../../test/support/check-request.ts'
import { createGrpcClient } from '../../test/support/grpc-client.ts'
import { type Asked, type Requests, toCheckRequest } from './requests.ts'
import type { Server } from './servers.ts'

/** Fails unless a server really decides: an allow with a chain for the next hop, a forged one and an agent that may not. */
export async function mustDecide({ name, port, adminPort }: Server, requests: Requests): Promise<void> {
  const client = createGrpcClient(port)
  const ask = async (asked: Asked) => decodeCheckResponse(await client.check(toCheckRequest(asked)))
  try {
    const allowed = await ask(requests.another())
    const onward = allowed.setHeaders['actor-chain']
    if (allowed.kind !== 'ok' || (adminPort !== undefined && onward === undefined))
      throw new Error(`${name} allows no good request: ${JSON.stringify(allowed.body)}`)
    for (const asked of [requests.forged, requests.forbidden]) {
      const refused = await ask(asked)
      if (refused.kind !== 'denied') throw new Error(`${name} allows what it should refuse: ${asked.peer}`)
    }
  } finally {
    client.close()
  }
}
