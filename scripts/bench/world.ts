import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createIdp } from '../../demo/idp.ts'
import { Processes } from '../../demo/processes.ts'
import { createKeys } from '../../demo/waywarden.ts'
import type { Load } from './figures.ts'
import { type Concurrency, runH2load } from './h2load.ts'
import { runLoadClient } from './load-client.ts'
import { buildGo } from './programs.ts'
import { toRepository, writeFiles } from './repository.ts'
import {
  type Asked,
  createRequests,
  type Requests,
  toCheckRequest,
  toHeaders,
  writeMessages,
} from './requests.ts'
import { type Server, startOther, startWaywarden, type WaywardenOptions } from './servers.ts'

const project = join(import.meta.dirname, '../..')
/** More than any server here can decide anew in a second. */
const freshPerSecond = 10_000
/** Of the mixed load, one request in so many is new. */
const newEvery = 20
/** A load of so many requests takes as long as it takes. */
const longestSeconds = 600

/**
 * Opens what all servers of one run have in common: keys, policies, requests, and the programs that ask. With `profiles`,
 * each Waywarden leaves its CPU profile in that directory.
 */
export async function openWorld(profiles?: string): Promise<World> {
  mkdirSync(join(project, '.run'), { recursive: true })
  const directory = mkdtempSync(join(project, '.run', 'bench-'))
  const { jwksFile } = await createIdp(join(directory, 'idp-jwks.json'))
  return new World(directory, createKeys(directory), jwksFile, profiles)
}

/** The servers of one run, and the loads that can be put on them. */
export class World implements AsyncDisposable {
  readonly directory: string
  readonly requests: Requests
  readonly processes: Processes
  readonly #loadClient = buildGo('client')
  /** The keys that sign chains. */
  readonly keys: string
  readonly #jwksFile: string
  readonly #profiles: string | undefined
  readonly #message: string
  readonly #framed: string
  readonly #untraced: string

  constructor(directory: string, keys: string, jwksFile: string, profiles?: string) {
    this.directory = directory
    this.keys = keys
    this.#jwksFile = jwksFile
    this.#profiles = profiles
    this.processes = new Processes(directory)
    this.requests = createRequests(keys)
    const message = toCheckRequest(this.requests.same)
    this.#message = join(directory, 'message')
    writeFileSync(this.#message, message)
    this.#framed = writeFramed(join(directory, 'framed'), message)
    this.#untraced = writeFramed(join(directory, 'untraced'), toCheckRequest(this.requests.same, false))
  }

  /** A policy repository with so many policies; `addresses` lead to the service asked about, too. */
  policies(count: number, addresses: readonly string[] = []): string {
    const directory = join(this.directory, `policies-${count}-${addresses.length}`)
    return writeFiles(directory, toRepository(count, addresses))
  }

  startWaywarden(options: Omit<WaywardenOptions, 'keys' | 'jwksFile' | 'profiles'>): Promise<Server> {
    const given = { ...options, keys: this.keys, jwksFile: this.#jwksFile, profiles: this.#profiles }
    return startWaywarden(this.processes, this.directory, given)
  }

  startBareGo(): Promise<Server> {
    return this.#startBare('bare Go', buildGo('bare-go'))
  }

  startBareGrpcJs(): Promise<Server> {
    const program = join(import.meta.dirname, 'bare-grpc-js.ts')
    return this.#startBare('bare grpc-js', process.execPath, ['--import', 'tsx', program])
  }

  /** One request again and again, by h2load. */
  warm({ port }: Server, seconds: number, concurrency: Concurrency): Promise<Load> {
    return runH2load(port, this.#framed, seconds, concurrency)
  }

  /** As `warm`, with a request that belongs to no trace yet. */
  warmUntraced({ port }: Server, seconds: number, concurrency: Concurrency): Promise<Load> {
    return runH2load(port, this.#untraced, seconds, concurrency)
  }

  /** Another chain and another patient each time. */
  cold(server: Server, seconds: number, concurrency: Concurrency): Promise<Load> {
    const fresh = this.#fresh(seconds * freshPerSecond, this.requests.another)
    return this.#load(server.port, seconds, [...toOptions(concurrency), ...fresh])
  }

  /** One request again and again, and every twentieth new. */
  mixed(server: Server, seconds: number, concurrency: Concurrency): Promise<Load> {
    const fresh = this.#fresh(seconds * freshPerSecond, this.requests.another, `${server.name}-fresh`)
    const same = ['-body', this.#message, '-fresh-every', `${newEvery}`]
    return this.#load(server.port, seconds, [...toOptions(concurrency), ...fresh, ...same])
  }

  /** So many requests, none of them the same. */
  ask(
    server: Server,
    count: number,
    concurrency: Concurrency,
    what: 'another chain' | 'another patient',
  ): Promise<Load> {
    const { another, anotherPatient } = this.requests
    const fresh = this.#fresh(count, what === 'another chain' ? another : anotherPatient)
    return this.#load(server.port, longestSeconds, [...toOptions(concurrency), ...fresh])
  }

  /** One request again and again, at a rate. */
  atRate({ port }: Server, seconds: number, rate: number): Promise<Load> {
    return this.#load(port, seconds, ['-rate', `${rate}`, '-body', this.#message])
  }

  /** One request again and again, and every twentieth new, at a rate; all signed with the key that signs now. */
  mixedAtRate({ name, port }: Server, seconds: number, rate: number, connections: number): Promise<Load> {
    const { same, another } = createRequests(this.keys)
    const message = join(this.directory, `${name}-message`)
    writeFileSync(message, toCheckRequest(same))
    const fresh = this.#fresh(Math.ceil((seconds * rate) / newEvery) + 1, another, `${name}-fresh`)
    const mixed = ['-body', message, '-fresh-every', `${newEvery}`, ...fresh]
    return this.#load(port, seconds, ['-connections', `${connections}`, '-rate', `${rate}`, ...mixed])
  }

  /** The request itself, as an agent sends it to an Envoy, at a rate. */
  throughEnvoy(port: number, seconds: number, rate: number): Promise<Load> {
    const { path, chain, peer } = this.requests.same
    const headers = Object.entries(toHeaders(chain, peer)).flatMap((pair) => ['-header', pair.join(': ')])
    return this.#load(port, seconds, ['-rate', `${rate}`, '-get', path, ...headers])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.processes[Symbol.asyncDispose]()
    rmSync(this.directory, { recursive: true, force: true })
  }

  #startBare(name: string, program: string, args: readonly string[] = []): Promise<Server> {
    return startOther(this.processes, this.directory, name, program, (address) => [...args, address])
  }

  #load(port: number, seconds: number, options: readonly string[]): Promise<Load> {
    return runLoadClient(this.#loadClient, port, ['-for', `${seconds}s`, ...options])
  }

  #fresh(count: number, next: () => Asked, file = 'fresh'): readonly string[] {
    const messages = Array.from({ length: count }, () => toCheckRequest(next()))
    return ['-fresh', writeMessages(join(this.directory, file), messages)]
  }
}

function toOptions({ connections, streams }: Concurrency): readonly string[] {
  return ['-connections', `${connections}`, '-streams', `${streams}`]
}

/** Writes a message with gRPC's prefix: not compressed, and how long it is. */
function writeFramed(file: string, message: Buffer): string {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  writeFileSync(file, Buffer.concat([prefix, message]))
  return file
}
