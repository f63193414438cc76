import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
// biome-ignore lint/correctness/useImportExtensions: the rule takes the file for its type declarations
import { findEnvoy } from '../scripts/envoy-binary.mjs'
import type { CertificateFiles } from './ca.ts'
import type { Program } from './processes.ts'
import { renderTemplate, type Value } from './template.ts'
import { type Lane, lanes, services, trustDomain, type Workload, waypoint } from './world.ts'

/** How the waypoint tells Waywarden who calls. */
export type Peer = 'xfcc' | 'metadata'

/** A service that speaks no HTTP: its VIP, and the port on loopback where it listens. */
export type TcpService = {
  readonly name: string
  readonly vip: string
  readonly vipPort: number
  readonly host: string
  readonly port: number
}

export type WaypointOptions = {
  readonly adminPort: number
  readonly peer: Peer
  readonly certificate: CertificateFiles
  readonly trustedCa: string
  readonly hbonePorts: Readonly<Record<Lane, number>>
  /** Where each workload listens. */
  readonly workloadPorts: Readonly<Record<Workload, number>>
  /** Services that speak no HTTP. */
  readonly tcpServices: readonly TcpService[]
  /** Where Waywarden is asked: ports on loopback, or paths of Unix sockets. */
  readonly waywardens: readonly (number | string)[]
}

/** A workload's way out in one lane, with the certificate that it leaves with. */
export type Exit = {
  readonly workload: Workload
  readonly lane: Lane
  readonly port: number
  readonly certificate: CertificateFiles
}

export type ZtunnelOptions = {
  readonly adminPort: number
  readonly trustedCa: string
  readonly hbonePorts: Readonly<Record<Lane, number>>
  readonly exits: readonly Exit[]
}

/** Writes the waypoint's bootstrap and says how to start it. */
export function renderWaypoint(directory: string, options: WaypointOptions): Program {
  return toProgram(directory, 'waypoint', options.adminPort, {
    adminPort: options.adminPort,
    trustDomain,
    trustedCa: options.trustedCa,
    certificate: options.certificate,
    accessLog: join(directory, 'waypoint-access.log'),
    isXfcc: options.peer === 'xfcc',
    isMetadata: options.peer === 'metadata',
    forwardClientCert: options.peer === 'xfcc' ? 'ALWAYS_FORWARD_ONLY' : 'SANITIZE',
    lanes: lanes.map((lane) => ({
      name: lane,
      port: options.hbonePorts[lane],
      internal: lane === 'guarded' ? 'main_internal' : 'main_internal_bare',
      isGuarded: lane === 'guarded',
    })),
    services: services.map((service) => ({ ...service, port: options.workloadPorts[service.workload] })),
    tcpServices: options.tcpServices.map((service) => ({ ...service })),
    waywardens: options.waywardens.map((where) => ({ address: toAddress(where) })),
  })
}

/** Writes the ztunnel stand-in's bootstrap and says how to start it. */
export function renderZtunnel(directory: string, options: ZtunnelOptions): Program {
  return toProgram(directory, 'ztunnel-stand-in', options.adminPort, {
    adminPort: options.adminPort,
    trustedCa: options.trustedCa,
    waypoint,
    exits: options.exits.map(({ workload, lane, port, certificate }) => ({
      name: `${workload}_${lane}`,
      port,
      certificate,
      waypointPort: options.hbonePorts[lane],
    })),
  })
}

function toAddress(where: number | string): Value {
  return typeof where === 'string'
    ? { pipe: { path: where } }
    : { socket_address: { address: '127.0.0.1', port_value: where } }
}

function toProgram(
  directory: string,
  name: string,
  adminPort: number,
  values: Readonly<Record<string, Value>>,
): Program {
  const envoy = findEnvoy()
  if (envoy === undefined) throw new Error('no Envoy is installed: run `node scripts/set-up.mjs`')
  const bootstrap = join(directory, `${name}.json`)
  const template = join(import.meta.dirname, '..', 'envoy', `${name}.yaml`)
  writeFileSync(bootstrap, renderTemplate(template, values))
  const args = ['-c', bootstrap, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning']
  return { name, command: envoy, args, readyUrl: `http://127.0.0.1:${adminPort}/ready` }
}
