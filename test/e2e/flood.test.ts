import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'chai'
import { freePorts } from '../../demo/ports.ts'
import { Processes } from '../../demo/processes.ts'
import { waywardenProgram } from '../../demo/waywarden.ts'
import { readRecords } from '../../src/audit/read/query.ts'
import { decodeCheckResponse, encodeCheckRequest } from '../support/check-request.ts'
import { createGrpcClient, type GrpcClient } from '../support/grpc-client.ts'
import { uris } from '../support/hospital.ts'
import { chainNow, writeTestFiles } from '../support/running-app.ts'
import { settings } from '../support/settings.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const connections = 4
/** So many that a fast machine, too, is late for a third of the deadline with those that wait. */
const atOncePerConnection = 300
const deadline = '250ms'
const seconds = 3
/** Cold checks cost the server many times what asking costs the client, so on any machine the server is the bottleneck. */
const manyForbids = Array.from(
  { length: 200 },
  (_, index) => `forbid (principal, action, resource) when { context.chain.depth > ${100 + index} };\n`,
).join('')
const modestEveryMs = 50

/** A caller's request about a patient. */
type Question = {
  readonly caller: string
  readonly chain: string
  readonly service: string
  readonly path: string
}

describe('one caller floods over several connections', () => {
  for (const transport of ['grpc-js', 'lean'] as const) {
    it(`another's requests pass over ${transport}, and the flood leaves few records`, async () => {
      const directory = temporaryDirectory()
      await using processes = new Processes(directory)
      const port = await startWaywarden(processes, directory, transport)
      const clients = Array.from({ length: connections }, () => createGrpcClient(port))
      const modestClient = createGrpcClient(port)
      const endMs = Date.now() + seconds * 1000
      const [modest, ...floods] = await Promise.all([
        askModestly(modestClient, endMs),
        ...clients.map((client, index) => floodOver(client, `${index}`, endMs)),
      ])
      for (const client of [modestClient, ...clients]) client.close()
      const shed = floods.flat().filter((code) => code === 'overloaded')
      expect(modest).to.not.include('overloaded')
      expect(shed.length).to.be.above(100)
      expect(await countOverloaded(directory)).to.be.within(1, 1 + shed.length / 10)
    })
  }
})

async function startWaywarden(processes: Processes, directory: string, transport: string): Promise<number> {
  const [port = 0, adminPort = 0] = await freePorts(2)
  await writeTestFiles(directory)
  writeFileSync(join(directory, 'policies/insurance-team/many.cedar'), manyForbids)
  const file = join(directory, 'waywarden.yaml')
  const text = settings
    .replace("'127.0.0.1:0', peer: xfcc", `'127.0.0.1:${port}', peer: xfcc, transport: ${transport}`)
    .replace("'127.0.0.1:0'", `'127.0.0.1:${adminPort}'`)
    .replace('deadline: 10s', `deadline: ${deadline}`)
  writeFileSync(file, text)
  await processes.start({
    name: 'waywarden',
    command: process.execPath,
    args: [waywardenProgram, 'serve', '-c', file],
    readyUrl: `http://127.0.0.1:${adminPort}/readyz`,
  })
  return port
}

/** Agent D asks about the insurance of another patient each time, so that no answer is remembered. */
async function floodOver(client: GrpcClient, name: string, endMs: number): Promise<readonly string[]> {
  const question = { caller: uris.agentD, chain: chainNow(), service: '10.96.0.10:8080' }
  const codes: string[] = []
  const askOn = async (place: number): Promise<void> => {
    for (let patient = 0; Date.now() < endMs; patient++) {
      const asked = ask(client, { ...question, path: `/coverage/${name}-${place}-${patient}` })
      // The server may end a connection whose client is too busy to read. A flood goes on over a new one.
      codes.push(await asked.catch(() => 'ended'))
    }
  }
  await Promise.all(Array.from({ length: atOncePerConnection }, (_, place) => askOn(place)))
  return codes
}

/** Agent R reads a record for a clinician now and then. */
async function askModestly(client: GrpcClient, endMs: number): Promise<readonly string[]> {
  const now = Math.floor(Date.now() / 1000)
  const tctx = { groups: ['clinicians'], auth_time: now - 600, root_iat: now - 90, ceil: now + 3000 }
  const chain = chainNow({
    sub: 'clinician',
    aud: uris.agentR,
    act: undefined,
    par_hash: undefined,
    scope: '',
    tctx,
  })
  const question = { caller: uris.agentR, chain, service: '10.96.0.11:8080', path: '/patients/p-7' }
  const codes: Promise<string>[] = []
  while (Date.now() < endMs) {
    codes.push(ask(client, question))
    await wait(modestEveryMs)
  }
  return Promise.all(codes)
}

async function ask(client: GrpcClient, { caller, chain, service, path }: Question): Promise<string> {
  const headers = { 'x-forwarded-client-cert': `By=${uris.waypoint};URI=${caller}`, 'actor-chain': chain }
  const request = encodeCheckRequest({ method: 'GET', path, destinationAddress: service, headers })
  const response = decodeCheckResponse(await client.check(request, {}, 20_000))
  return response.kind === 'ok' ? 'allow' : String(response.body?.['code'])
}

async function countOverloaded(directory: string): Promise<number> {
  let count = 0
  for await (const line of readRecords([join(directory, 'audit')])) {
    if (line.kind === 'record' && line.record.code === 'overloaded') count++
  }
  return count
}
