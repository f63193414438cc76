import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Peer } from './envoys.ts'
import { agentsAudience, idpIssuer } from './idp.ts'
import type { Program } from './processes.ts'
import { trustDomain, workloads } from './world.ts'

/** The Waywarden that a user installs: the build, not the sources. */
export const waywardenProgram: string = join(import.meta.dirname, '..', 'dist', 'main.js')

/** The issuer of the hospital's chains. */
export const waywardenIssuer = 'https://waywarden.hospital.example'

export type WaywardenOptions = {
  readonly name: string
  readonly port: number
  /** The path of a Unix socket to listen on instead. */
  readonly socket?: string
  readonly adminPort: number
  readonly peer: Peer
  readonly transport: 'grpc-js' | 'lean'
  readonly policies: string
  readonly keys: string
  readonly jwksFile: string
  readonly tracing: object | undefined
  readonly isObserving: boolean
}

/** Creates the keys that sign chains, as an operator does. */
export function createKeys(directory: string): string {
  const keys = join(directory, 'keys')
  execFileSync(process.execPath, [waywardenProgram, 'keys', 'init', keys])
  return keys
}

const dayMs = 86_400_000

/** Where an instance keeps its evidence. */
export function auditDirectory(directory: string, name: string): string {
  return join(directory, `${name}-audit`)
}

/** Writes an instance's configuration and says how to start it. */
export function renderWaywarden(directory: string, options: WaywardenOptions): Program {
  const audit = auditDirectory(directory, options.name)
  const file = join(directory, `${options.name}.yaml`)
  mkdirSync(audit, { recursive: true, mode: 0o700 })
  const address = options.socket === undefined ? `127.0.0.1:${options.port}` : `unix://${options.socket}`
  const config = {
    version: 1,
    listeners: [{ address, peer: options.peer, transport: options.transport }],
    admin: { address: `127.0.0.1:${options.adminPort}` },
    drain: '1s',
    chain: { issuer: waywardenIssuer, trustDomain, keys: options.keys },
    ingress: { peers: [{ id: workloads.gateway, issuers: ['hospital'] }] },
    users: [
      {
        name: 'hospital',
        provider: 'keycloak',
        issuer: idpIssuer,
        audience: agentsAudience,
        jwks: options.jwksFile,
        groupsAllow: ['billing', 'clinicians'],
        clients: ['hospital-ui'],
        userClaim: 'sid',
      },
    ],
    policy: { directory: options.policies },
    audit: { directory: audit },
    ...(options.isObserving
      ? { observe: { until: new Date(Date.now() + 2 * dayMs).toISOString().slice(0, 10) } }
      : {}),
    ...(options.tracing === undefined ? {} : { tracing: options.tracing }),
  }
  writeFileSync(file, stringify(config))
  return {
    name: options.name,
    command: process.execPath,
    args: ['--enable-source-maps', waywardenProgram, 'serve', '-c', file],
    readyUrl: `http://127.0.0.1:${options.adminPort}/readyz`,
  }
}
