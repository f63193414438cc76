import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { freePorts } from '../demo/ports.ts'
import { Processes, type Running } from '../demo/processes.ts'
import { decodeCheckResponse, encodeCheckRequest } from '../test/support/check-request.ts'
import { readJwks, signer } from '../test/support/forge.ts'
import { createGrpcClient, type GrpcClient } from '../test/support/grpc-client.ts'
import { uris } from '../test/support/hospital.ts'
import { createProviderKey, type ProviderKey, tokenBy } from '../test/support/provider.ts'
import { chainNow, writeTestFiles } from '../test/support/running-app.ts'
import { settings } from '../test/support/settings.ts'
import { temporaryDirectory } from '../test/support/temporary-directory.ts'

// Measures what a user's login costs: processor time of the server for each check, all threads included. Give directories
// of other states of the code, each with `dist`, to compare: they take turns, so that the machine is the same for all.
// npm run bench:logins -- [--rounds N] [--checks N] [DIRECTORY …]

const ticksPerSecond = 100
const concurrency = 16
const options = readOptions(process.argv.slice(2))
const es256 = createProviderKey('bench-es256')

type Kind = 'agent' | 'known' | 'RS256' | 'ES256'
const kinds: readonly Kind[] = ['agent', 'known', 'RS256', 'ES256']

/** Microseconds of processor time for each check, by kind. */
type Costs = Readonly<Record<Kind, number>>

const directory = temporaryDirectory()
await using processes = new Processes(directory)
const trees = ['.', ...options.directories]
const costs = new Map<string, Costs[]>(trees.map((tree) => [tree, []]))
const startedLoad = loadavg()[0]
for (let round = 0; round < options.rounds; round++)
  for (const tree of round % 2 === 0 ? trees : trees.toReversed())
    costs.get(tree)?.push(await measureTree(tree, round))
for (const [tree, measured] of costs) console.log(tree, JSON.stringify(medians(measured)))
const [own, ...others] = trees.map((tree) => costs.get(tree) ?? [])
for (const [index, other] of others.entries()) {
  const ratios = (own ?? []).map((costs, round) => divide(costs, other[round]))
  console.log(`. / ${options.directories[index]}, median of pairs`, JSON.stringify(medians(ratios)))
}
console.log(
  `load of the machine ${startedLoad?.toFixed(1)} to ${loadavg()[0]?.toFixed(1)}, ${process.version}`,
)

async function measureTree(tree: string, round: number): Promise<Costs> {
  const [port = 0, admin = 0] = await freePorts(2)
  const place = join(directory, `${round}-${trees.indexOf(tree)}`)
  await writeTestFiles(place)
  const { keys } = JSON.parse(readJwks('hospital-idp'))
  writeFileSync(join(place, 'idp-jwks.json'), JSON.stringify({ keys: [...keys, es256.jwk] }))
  const file = join(place, 'waywarden.yaml')
  const listeners = [{ address: `127.0.0.1:${port}`, peer: 'xfcc' }]
  writeFileSync(file, stringify({ ...parse(settings), listeners, admin: { address: `127.0.0.1:${admin}` } }))
  const running = await processes.start({
    name: `bench-${round}-${trees.indexOf(tree)}`,
    command: process.execPath,
    args: [resolve(tree, 'dist/main.js'), 'serve', '-c', file],
    readyUrl: `http://127.0.0.1:${admin}/readyz`,
  })
  const client = createGrpcClient(port)
  try {
    const measured: Partial<Record<Kind, number>> = {}
    for (const kind of kinds) {
      await ask(client, requestsOf(kind, options.checks / 4))
      measured[kind] = await measure(running, client, requestsOf(kind, options.checks))
    }
    return measured as Costs
  } finally {
    client.close()
    await running.stop('SIGTERM')
  }
}

async function measure(running: Running, client: GrpcClient, requests: readonly Buffer[]): Promise<number> {
  const before = ticksOf(running.pid)
  await ask(client, requests)
  return ((ticksOf(running.pid) - before) * 1_000_000) / ticksPerSecond / requests.length
}

async function ask(client: GrpcClient, requests: readonly Buffer[]): Promise<void> {
  const waiting = [...requests]
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { kind, body } = decodeCheckResponse(await client.check(next))
        if (kind !== 'ok') throw new Error(`expected an allow, found ${JSON.stringify(body)}`)
      }
    }),
  )
}

function requestsOf(kind: Kind, count: number): readonly Buffer[] {
  if (kind === 'agent') {
    const one = toRequest(uris.agentD, 'GET', '/coverage/42', '10.96.0.10:8080', {
      'actor-chain': chainNow(),
    })
    return Array.from({ length: count }, () => one)
  }
  const rs256: ProviderKey = { jwk: { alg: 'RS256', kid: 'hospital-1' }, sign: signer('hospital-idp') }
  const token = (): string =>
    tokenBy(kind === 'ES256' ? es256 : rs256, { jti: kind === 'known' ? 'known' : crypto.randomUUID() })
  const first = token()
  return Array.from({ length: count }, () =>
    toRequest(uris.gateway, 'POST', '/tasks', '10.96.0.4:8080', {
      authorization: `Bearer ${kind === 'known' ? first : token()}`,
    }),
  )
}

function toRequest(
  peer: string,
  method: string,
  path: string,
  destinationAddress: string,
  headers: Readonly<Record<string, string>>,
): Buffer {
  const xfcc = `By=${uris.waypoint};URI=${peer}`
  return encodeCheckRequest({
    method,
    path,
    destinationAddress,
    headers: { ...headers, 'x-forwarded-client-cert': xfcc },
  })
}

/** Processor time of all threads of a process, in ticks (proc(5): utime and stime). */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}

function divide(costs: Costs, others: Costs | undefined): Costs {
  return byKind((kind) => costs[kind] / (others?.[kind] ?? Number.NaN))
}

function medians(measured: readonly Costs[]): Costs {
  return byKind((kind) => {
    const sorted = measured.map((costs) => costs[kind]).sort((one, other) => one - other)
    return Number((sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toPrecision(3))
  })
}

function byKind(toValue: (kind: Kind) => number): Costs {
  return {
    agent: toValue('agent'),
    known: toValue('known'),
    RS256: toValue('RS256'),
    ES256: toValue('ES256'),
  }
}

function readOptions(given: readonly string[]) {
  const numberOf = (name: string, otherwise: number): number => {
    const at = given.indexOf(name)
    return at < 0 ? otherwise : Number(given[at + 1])
  }
  const directories = given.filter(
    (word, index) => !word.startsWith('--') && !given[index - 1]?.startsWith('--'),
  )
  return { rounds: numberOf('--rounds', 5), checks: numberOf('--checks', 4000), directories }
}
