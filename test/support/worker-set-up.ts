import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { createCa } from '../../demo/ca.ts'
import { freePorts } from '../../demo/ports.ts'
import type { Program } from '../../demo/processes.ts'
import { waywardenProgram } from '../../demo/waywarden.ts'
import { encodeCheckRequest } from './check-request.ts'
import type { ClientTls } from './grpc-client.ts'
import { uris } from './hospital.ts'
import { chainNow, writeTestFiles } from './running-app.ts'
import { settings } from './settings.ts'

/** One place on which a Waywarden under test listens, and how a client reaches it. */
export type Listening = { readonly name: string; readonly target: number | string; readonly tls?: ClientTls }

/** A built Waywarden with several workers, ready to start. */
export type SetUp = {
  readonly file: string
  readonly program: Program
  readonly admin: number
  readonly listeners: readonly Listening[]
}

/** A check that is allowed now. */
export function requestNow(): Buffer {
  const xfcc = `By=${uris.waypoint};URI=${uris.agentD}`
  return encodeCheckRequest({
    method: 'GET',
    path: '/coverage/42',
    destinationAddress: '10.96.0.10:8080',
    headers: { 'actor-chain': chainNow(), 'x-forwarded-client-cert': xfcc },
  })
}

/** Writes a configuration with a port, one with TLS, and a Unix socket for either transport. */
export async function setUpWorkers(directory: string, workers = 2): Promise<SetUp> {
  await writeTestFiles(directory)
  const [admin = 0, ...ports] = await freePorts(5)
  const ca = createCa(join(directory, 'ca'), 'hospital.example')
  const own = ca.issue('own', ['spiffe://hospital.example/ns/waywarden/sa/waywarden'])
  const peer = ca.issue('peer', [uris.waypoint])
  const read = (path: string) => readFileSync(path, 'utf8')
  const clientTls = { ca: read(ca.trustedCa), cert: read(peer.chain), key: read(peer.key) }
  const tls = { cert: own.chain, key: own.key, clientCa: ca.trustedCa }
  const listeners = ['grpc-js', 'lean'].flatMap((transport, index) => {
    const [plain = 0, secure = 0] = ports.slice(2 * index)
    const path = join(directory, `${transport}.sock`)
    const common = { peer: 'xfcc', transport }
    return [
      { settings: { ...common, address: `127.0.0.1:${plain}` }, name: `${transport} port`, target: plain },
      {
        settings: { ...common, address: `127.0.0.1:${secure}`, tls },
        name: `${transport} TLS`,
        target: secure,
        tls: clientTls,
      },
      {
        settings: { ...common, address: `unix://${path}` },
        name: `${transport} socket`,
        target: `unix:${path}`,
      },
    ]
  })
  const file = join(directory, 'waywarden.yaml')
  const config = { ...parse(settings), workers, listeners: listeners.map((listener) => listener.settings) }
  const log = { level: 'info' }
  await writeFile(file, stringify({ ...config, log, admin: { address: `127.0.0.1:${admin}` } }))
  return { file, admin, listeners, program: toProgram(file, workers, admin) }
}

function toProgram(file: string, workers: number, admin: number): Program {
  return {
    name: `workers-${workers}`,
    command: process.execPath,
    args: [waywardenProgram, 'serve', '-c', file],
    readyUrl: `http://127.0.0.1:${admin}/readyz`,
  }
}
