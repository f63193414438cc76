import { readdirSync, readFileSync } from 'node:fs'
import { status } from '@grpc/grpc-js'
import { expect } from 'chai'
import { createGrpcTransport } from '../../../src/envoy/grpc-js/grpc-js-server.ts'
import { createCallHandler } from '../../../src/envoy/handler.ts'
import { createHttp2Transport } from '../../../src/envoy/http2/http2-server.ts'
import type { CallHandler } from '../../../src/envoy/transport.ts'
import { checkRequestType } from '../../support/check-request.ts'
import { createGoldenChecker } from '../../support/golden-checker.ts'
import { type CallMetadata, createGrpcClient, type GrpcClient } from '../../support/grpc-client.ts'
import { plainListener } from '../../support/grpc-listener.ts'
import { createRandom, seed } from '../../support/random.ts'

const folder = new URL('../../cases/check/', import.meta.url)
const checkPath = '/envoy.service.auth.v3.Authorization/Check'
const healthPath = '/grpc.health.v1.Health/Check'

/** The result of a call for a client: the answer's bytes, or the status. */
type Outcome = { readonly bytes: string } | { readonly status: unknown }

describe('envoy/http2 against grpc-js', () => {
  for (const file of readdirSync(folder)) {
    const { name, peer, metadata, request } = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
    it(`gives the same bytes for the golden case ${name}`, async () => {
      const bytes = checkRequestType.encode(checkRequestType.fromObject(request)).finish()
      const [one, other] = await bothOutcomes(
        () => createGoldenHandler(peer),
        (client) => outcomeOf(client, checkPath, Buffer.from(bytes), metadata),
      )
      expect(one).to.have.property('bytes')
      expect(other).to.deep.equal(one)
    })
  }

  it(`gives the same for anything that a client may send (SEED=${seed})`, async () => {
    const random = createRandom(seed)
    const calls = Array.from({ length: 300 }, () => randomCall(random))
    const [one, other] = await bothOutcomes(
      () => Promise.resolve(echoing),
      async (client) => {
        const outcomes: Outcome[] = []
        for (const { path, bytes, metadata } of calls)
          outcomes.push(await outcomeOf(client, path, bytes, metadata))
        return outcomes
      },
    )
    expect(other).to.deep.equal(one)
  })
})

/** Answers with all that it was told. */
const echoing: CallHandler = (message, { metadata }) => {
  if (!(message instanceof Uint8Array)) return Buffer.from(message.code)
  const own = [...metadata].filter(([name]) => name !== 'user-agent').sort()
  return Buffer.concat([Buffer.from(JSON.stringify(own)), message])
}

function randomCall(random: (below: number) => number) {
  const size = [0, 1, 100, 16_379, 16_380, 70_000, 1_000_000][random(7)] ?? 0
  const path =
    [checkPath, checkPath, checkPath, checkPath, healthPath, '/nobody/Knows'][random(6)] ?? checkPath
  const metadata: Record<string, string | Buffer> = {}
  for (let count = random(6); count > 0; count--) {
    const text = Array.from({ length: random(200) }, () => String.fromCharCode(33 + random(90))).join('')
    metadata[`x-name-${random(50)}`] = text
    metadata[`x-name-${random(50)}-bin`] = Buffer.from(text)
  }
  const bytes = path === checkPath ? Buffer.alloc(size, random(256)) : Buffer.alloc(0)
  return { path, bytes, metadata }
}

async function createGoldenHandler(peer: 'xfcc' | 'metadata'): Promise<CallHandler> {
  const { check, refuse } = await createGoldenChecker(peer)
  return createCallHandler({ check, refuse, elapsedMs: () => 0, budgetMs: 1000, report: () => {} })
}

/** The same of each transport, with a handler that starts anew. */
async function bothOutcomes<T>(
  createHandler: () => Promise<CallHandler>,
  ask: (client: GrpcClient) => Promise<T>,
): Promise<readonly T[]> {
  const outcomes: T[] = []
  for (const create of [createGrpcTransport, createHttp2Transport]) {
    await using transport = await create(plainListener, await createHandler(), () => {})
    transport.setServing(true)
    const client = createGrpcClient(transport.port)
    outcomes.push(await ask(client))
    client.close()
  }
  return outcomes
}

async function outcomeOf(
  client: GrpcClient,
  path: string,
  bytes: Buffer,
  metadata: CallMetadata,
): Promise<Outcome> {
  try {
    return { bytes: (await client.call(path, bytes, metadata)).toString('base64') }
  } catch (fault) {
    return { status: fault instanceof Error && 'code' in fault ? status[Number(fault.code)] : fault }
  }
}
