import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createIdp } from '../../demo/idp.ts'
import { Processes } from '../../demo/processes.ts'
import { createKeys } from '../../demo/waywarden.ts'
import type { Load } from './figures.ts'
import { type Concurrency, runH2load } from './h2load.ts'
import { runLoadClient } from './load-client.ts'
import { buildGoPrograms, type GoPrograms } from './programs.ts'
import { toRepository, writeFiles } from './repository.ts'
import { createRequests, type Requests, toCheckRequest, writeMessages } from './requests.ts'
import { type Server, startOther, startWaywarden, type WaywardenOptions } from './servers.ts'

const project = join(import.meta.dirname, '../..')
/** More than any server here can decide anew in a second. */
const freshPerSecond = 6000
/** Of the mixed load, one request in so many is new. */
const newEvery = 20

/** Opens what all servers of one run have in common: keys, policies, requests, and the programs that ask. */
export async function openWorld(): Promise<World> {
  mkdirSync(join(project, '.run'), { recursive: true })
  const directory = mkdtempSync(join(project, '.run', 'bench-'))
  const programs = buildGoPrograms(join(project, '.run', 'go'))
  const { jwksFile } = await createIdp(join(directory, 'idp-jwks.json'))
  return new World(directory, programs, createKeys(directory), jwksFile)
}

/** The servers of one run, and the loads that can be put on them. */
export class World implements AsyncDisposable {
  readonly directory: string
  readonly requests: Requests
  readonly processes: Processes
  readonly #programs: GoPrograms
  readonly #keys: string
  readonly #jwksFile: string
  readonly #message: string
  readonly #framed: string

  constructor(directory: string, programs: GoPrograms, keys: string, jwksFile: string) {
    this.directory = directory
    this.#programs = programs
    this.#keys = keys
    this.#jwksFile = jwksFile
    this.processes = new Processes(directory)
    this.requests = createRequests(keys)
    const message = toCheckRequest(this.requests.same)
    this.#message = join(directory, 'message')
    this.#framed = join(directory, 'framed')
    writeFileSync(this.#message, message)
    const prefix = Buffer.alloc(5)
    prefix.writeUInt32BE(message.length, 1)
    writeFileSync(this.#framed, Buffer.concat([prefix, message]))
  }

  /** The policy repository with so many policies. */
  policies(count: number, addresses: readonly string[] = []): string {
    return writeFiles(join(this.directory, `policies-${count}`), toRepository(count, addresses))
  }

  startWaywarden(options: Omit<WaywardenOptions, 'keys' | 'jwksFile'>): Promise<Server> {
    const given = { ...options, keys: this.#keys, jwksFile: this.#jwksFile }
    return startWaywarden(this.processes, this.directory, given)
  }

  startBareGo(): Promise<Server> {
    return startOther(this.processes, this.directory, 'bare Go', this.#programs.bareGo)
  }

  startBareGrpcJs(): Promise<Server> {
    const program = join(import.meta.dirname, 'bare-grpc-js.ts')
    return startOther(this.processes, this.directory, 'bare grpc-js', process.execPath, [
      '--import',
      'tsx',
      program,
    ])
  }

  /** One request again and again, by h2load. */
  warm({ port }: Server, seconds: number, concurrency: Concurrency): Promise<Load> {
    return runH2load(port, this.#framed, seconds, concurrency)
  }

  /** Another chain and another patient each time. */
  cold(server: Server, seconds: number, { connections, streams }: Concurrency): Promise<Load> {
    return this.#ask(server, seconds, [
      '-connections',
      `${connections}`,
      '-streams',
      `${streams}`,
      '-fresh',
      this.#fresh(seconds * freshPerSecond),
    ])
  }

  /** One request again and again, and every twentieth new. */
  mixed(server: Server, seconds: number, { connections, streams }: Concurrency): Promise<Load> {
    return this.#ask(server, seconds, [
      '-connections',
      `${connections}`,
      '-streams',
      `${streams}`,
      '-body',
      this.#message,
      '-fresh',
      this.#fresh(seconds * freshPerSecond),
      '-fresh-every',
      `${newEvery}`,
    ])
  }

  /** One request again and again, at a rate. */
  atRate(server: Server, seconds: number, rate: number): Promise<Load> {
    return this.#ask(server, seconds, ['-rate', `${rate}`, '-body', this.#message])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.processes[Symbol.asyncDispose]()
    rmSync(this.directory, { recursive: true, force: true })
  }

  #ask({ port }: Server, seconds: number, options: readonly string[]): Promise<Load> {
    return runLoadClient(this.#programs.loadClient, port, ['-for', `${seconds}s`, ...options])
  }

  #fresh(count: number): string {
    const messages = Array.from({ length: count }, () => toCheckRequest(this.requests.another()))
    return writeMessages(join(this.directory, 'fresh'), messages)
  }
}
