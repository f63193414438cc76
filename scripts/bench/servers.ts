import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'yaml'
import { agentsAudience, idpIssuer } from '../../demo/idp.ts'
import { freePorts } from '../../demo/ports.ts'
import type { Processes, Running } from '../../demo/processes.ts'
import { waywardenIssuer, waywardenProgram } from '../../demo/waywarden.ts'
import { trustDomain } from '../../demo/world.ts'

/** A server under load. */
export type Server = {
  readonly name: string
  readonly port: number
  readonly running: Running
  /** Where it writes what it has to say. */
  readonly log: string
  /** The admin port of a Waywarden; others have none and decide nothing, or are not ours to ask. */
  readonly adminPort?: number
}

/** Modules of this directory that change what runs. */
export type Preload = 'count-hits.mjs' | 'no-audit.mjs' | 'weigh-heap.mjs'

export type WaywardenOptions = {
  readonly name: string
  readonly transport: 'grpc-js' | 'lean'
  readonly policies: string
  readonly keys: string
  readonly jwksFile: string
  readonly preload?: readonly Preload[]
  /** Where it leaves its CPU profile. */
  readonly profiles?: string | undefined
  /** Keys of the configuration that are to be otherwise than here. */
  readonly overlay?: {
    readonly audit?: object
    readonly cache?: object
    readonly tracing?: object
    readonly workers?: number
  }
}

const listeningWithinMs = 10_000
/** With thousands of policies, on a machine that is busy. */
const readyWithinMs = 180_000
/** Longer than a queue under full load: what is measured is how long answers take, not how many are given up. */
const deadline = '10s'

/** Starts the Waywarden that users install, with everything that it does by default. */
export async function startWaywarden(
  processes: Processes,
  directory: string,
  { name, transport, policies, keys, jwksFile, preload = [], profiles, overlay = {} }: WaywardenOptions,
): Promise<Server> {
  const [port = 0, adminPort = 0] = await freePorts(2)
  const audit = join(directory, `${name}-audit`)
  mkdirSync(audit, { recursive: true, mode: 0o700 })
  const config = {
    version: 1,
    listeners: [{ address: `127.0.0.1:${port}`, peer: 'xfcc', transport }],
    admin: { address: `127.0.0.1:${adminPort}` },
    drain: '0s',
    deadline,
    chain: { issuer: waywardenIssuer, trustDomain, keys },
    users: [
      {
        name: 'hospital',
        issuer: idpIssuer,
        audience: agentsAudience,
        jwks: jwksFile,
        groupsAllow: ['billing'],
        clients: ['hospital-ui'],
      },
    ],
    policy: { directory: policies },
    ...overlay,
    audit: { ...overlay.audit, directory: audit },
  }
  const file = join(directory, `${name}.yaml`)
  writeFileSync(file, stringify(config))
  const modules = preload.flatMap((module) => ['--import', join(import.meta.dirname, module)])
  const profiling =
    profiles === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${name}.cpuprofile`]
  const running = await processes.start({
    name,
    command: process.execPath,
    args: [...profiling, ...modules, waywardenProgram, 'serve', '-c', file],
    readyUrl: `http://127.0.0.1:${adminPort}/readyz`,
    readyWithinMs,
  })
  return { name, port, adminPort, running, log: join(directory, `${name}.log`) }
}

/** Starts a program that listens where `toArgs` tells it to. */
export async function startOther(
  processes: Processes,
  directory: string,
  name: string,
  command: string,
  toArgs: (address: string) => readonly string[],
): Promise<Server> {
  const [port = 0] = await freePorts(1)
  const running = await processes.start({ name, command, args: toArgs(`127.0.0.1:${port}`) })
  await untilListening(running, port)
  return { name, port, running, log: join(directory, `${name}.log`) }
}

async function untilListening({ name, isRunning }: Running, port: number): Promise<void> {
  const giveUpAtMs = performance.now() + listeningWithinMs
  while (isRunning() && performance.now() < giveUpAtMs) {
    if (await accepts(port)) return
    await wait(20)
  }
  throw new Error(`${name} does not listen on port ${port}`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => socket.destroy() && resolve(true))
    socket.once('error', () => resolve(false))
  })
}
