import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Ca, createCa } from './ca.ts'
import { type Peer, renderWaypoint, renderZtunnel, type TcpService } from './envoys.ts'
import { createIdp, type Idp } from './idp.ts'
import { createMesh, type Mesh } from './mesh.ts'
import { freePorts } from './ports.ts'
import { Processes, type Program, type Running } from './processes.ts'
import { auditDirectory, createKeys, renderWaywarden } from './waywarden.ts'
import { type Lane, lanes, trustDomain, type Workload, waypoint, workloads } from './world.ts'

export type HospitalOptions = {
  readonly peer?: Peer
  /** The policy repository; the sample in policies/ by default. */
  readonly policies?: string
  /** Which HTTP/2 Waywarden speaks; the default of its own by default. */
  readonly transport?: 'grpc-js' | 'lean'
  /** Waywarden listens on Unix sockets. */
  readonly usesSockets?: boolean
  /** How many Waywardens stand behind the waypoint's one cluster. */
  readonly waywardens?: number
  /** A workload that leaves with somebody else's certificate. */
  readonly certificateOf?: Partial<Readonly<Record<Workload, Workload>>>
  /** `tracing` of every Waywarden's configuration; none by default. */
  readonly tracing?: object
  /** A port that the waypoint asks instead of Waywarden's own. */
  readonly askedPort?: number
  /** A port that answers requests to the insurance instead of its own process. */
  readonly insurancePort?: number
  /** Whether every Waywarden only observes. */
  readonly isObserving?: boolean
  /** Services that speak no HTTP; none by default. */
  readonly tcpServices?: readonly TcpService[]
}

/** Where everything of one hospital listens, on loopback. */
export type Ports = {
  readonly waypointAdmin: number
  readonly ztunnelAdmin: number
  readonly hbone: Readonly<Record<Lane, number>>
  readonly workloads: Readonly<Record<Workload, number>>
  /** Each workload's way out, by `outboundOf`. */
  readonly outbound: ReadonlyMap<string, number>
  readonly waywardens: readonly { readonly port: number; readonly adminPort: number }[]
}

const project = join(import.meta.dirname, '..')
const workloadNames = Object.keys(workloads) as readonly Workload[]

/** Starts a whole hospital: certificates, tokens, services, two Envoys and Waywarden, each a process of its own. */
export async function startHospital(options: HospitalOptions = {}): Promise<Hospital> {
  mkdirSync(join(project, '.run'), { recursive: true })
  const directory = mkdtempSync(join(project, '.run', 'hospital-'))
  const idp = await createIdp(join(directory, 'idp-jwks.json'))
  const ports = await choosePorts(options.waywardens ?? 1)
  const hospital = new Hospital(directory, ports, idp, options)
  try {
    await hospital.startAll(createCa(join(directory, 'certificates'), trustDomain))
    return hospital
  } catch (error) {
    await hospital.stopAll()
    throw error
  }
}

/** A running hospital; the demo and the end-to-end tests are played in the same one. */
export class Hospital implements AsyncDisposable {
  readonly directory: string
  readonly ports: Ports
  readonly idp: Idp
  readonly peer: Peer
  /** The keys that sign chains. */
  readonly keys: string
  readonly #options: HospitalOptions
  readonly #processes: Processes
  readonly #waywardens: Running[] = []
  readonly #programs: readonly Program[]

  constructor(directory: string, ports: Ports, idp: Idp, options: HospitalOptions) {
    this.directory = directory
    this.ports = ports
    this.idp = idp
    this.peer = options.peer ?? 'xfcc'
    this.keys = createKeys(directory)
    this.#options = options
    this.#processes = new Processes(directory)
    const shared = {
      peer: this.peer,
      transport: options.transport ?? 'grpc-js',
      policies: options.policies ?? join(project, 'policies'),
      keys: this.keys,
      tracing: options.tracing,
      isObserving: options.isObserving === true,
      jwksFile: idp.jwksFile,
    }
    this.#programs = ports.waywardens.map((instance, index) =>
      renderWaywarden(directory, {
        name: waywardenName(index),
        ...instance,
        ...shared,
        ...(options.usesSockets === true ? { socket: this.#socketOf(index) } : {}),
      }),
    )
  }

  /** The audit directories of all Waywardens. */
  get auditDirectories(): readonly string[] {
    return this.ports.waywardens.map((_, index) => auditDirectory(this.directory, waywardenName(index)))
  }

  /** Where users' requests enter. */
  get gatewayUrl(): string {
    return `http://127.0.0.1:${this.ports.workloads.gateway}`
  }

  /** How many Waywardens there are. */
  get replicas(): number {
    return this.ports.waywardens.length
  }

  /** The plain HTTP client of a workload, in one lane. */
  meshOf(workload: Workload, lane: Lane = 'guarded'): Mesh {
    return createMesh(this.outboundOf(workload, lane))
  }

  /** A workload's port of the ztunnel stand-in. */
  outboundOf(workload: Workload, lane: Lane = 'guarded'): number {
    return this.ports.outbound.get(exitName(workload, lane)) ?? 0
  }

  /** Starts a Waywarden again, on its own port and with its own audit log. */
  async startWaywarden(index = 0): Promise<void> {
    const program = this.#programs[index]
    if (program === undefined) throw new Error(`the hospital has no Waywarden ${index}`)
    this.#waywardens[index] = await this.#processes.start(program)
  }

  /** Stops a Waywarden and returns its exit code. */
  async stopWaywarden(index = 0, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    return (await this.#waywardens[index]?.stop(signal)) ?? null
  }

  async startAll(ca: Ca): Promise<void> {
    const starts = [
      ...this.#programs.map((_, index) => this.startWaywarden(index)),
      ...workloadNames.map((workload) => this.#processes.start(this.#toProgram(workload))),
      this.#processes.start(this.#waypoint(ca)),
      this.#processes.start(this.#ztunnel(ca)),
    ]
    // Nobody is left behind half started when one of them fails.
    await Promise.allSettled(starts)
    await Promise.all(starts)
  }

  async stopAll(): Promise<void> {
    await this.#processes[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopAll()
    rmSync(this.directory, { recursive: true, force: true })
  }

  #toProgram(workload: Workload): Program {
    const kind = workload.startsWith('agent-') ? 'agent' : workload
    const port = this.ports.workloads[workload]
    const env = {
      PORT: String(port),
      OUTBOUND_GUARDED: String(this.outboundOf(workload, 'guarded')),
      OUTBOUND_BARE: String(this.outboundOf(workload, 'bare')),
      JWKS: this.idp.jwksFile,
    }
    const args = ['--import', 'tsx', join(import.meta.dirname, 'services', `${kind}.ts`)]
    const readyUrl = `http://127.0.0.1:${port}/healthz`
    return { name: workload, command: process.execPath, args, env, readyUrl }
  }

  #socketOf(index: number): string {
    return join(this.directory, `${waywardenName(index)}.sock`)
  }

  #waypoint(ca: Ca): Program {
    const {
      askedPort,
      insurancePort = this.ports.workloads.insurance,
      tcpServices,
      usesSockets,
    } = this.#options
    const own = this.ports.waywardens.map(({ port }, index) =>
      usesSockets === true ? this.#socketOf(index) : port,
    )
    return renderWaypoint(this.directory, {
      adminPort: this.ports.waypointAdmin,
      peer: this.peer,
      certificate: ca.issue('waypoint', [waypoint]),
      trustedCa: ca.trustedCa,
      hbonePorts: this.ports.hbone,
      workloadPorts: { ...this.ports.workloads, insurance: insurancePort },
      tcpServices: tcpServices ?? [],
      waywardens: askedPort === undefined ? own : [askedPort],
    })
  }

  #ztunnel(ca: Ca): Program {
    const certificates = new Map(workloadNames.map((name) => [name, ca.issue(name, [workloads[name]])]))
    const exits = workloadNames.flatMap((workload) => {
      const certificate = certificates.get(this.#options.certificateOf?.[workload] ?? workload)
      if (certificate === undefined) return []
      return lanes.map((lane) => ({ workload, lane, certificate, port: this.outboundOf(workload, lane) }))
    })
    return renderZtunnel(this.directory, {
      adminPort: this.ports.ztunnelAdmin,
      trustedCa: ca.trustedCa,
      hbonePorts: this.ports.hbone,
      exits,
    })
  }
}

async function choosePorts(waywardens: number): Promise<Ports> {
  const exits = workloadNames.flatMap((workload) => lanes.map((lane) => exitName(workload, lane)))
  const free = [...(await freePorts(4 + workloadNames.length + exits.length + 2 * waywardens))]
  const next = (): number => free.pop() ?? 0
  return {
    waypointAdmin: next(),
    ztunnelAdmin: next(),
    hbone: { guarded: next(), bare: next() },
    workloads: Object.fromEntries(workloadNames.map((name) => [name, next()])) as Record<Workload, number>,
    outbound: new Map(exits.map((name) => [name, next()])),
    waywardens: Array.from({ length: waywardens }, () => ({ port: next(), adminPort: next() })),
  }
}

function exitName(workload: Workload, lane: Lane): string {
  return `${workload}_${lane}`
}

function waywardenName(index: number): string {
  return index === 0 ? 'waywarden' : `waywarden-${index + 1}`
}
