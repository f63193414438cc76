import { once } from 'node:events'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TcpService } from '../../demo/envoys.ts'
import { waypoint, workloads } from '../../demo/world.ts'

/** Where the mesh has the ledger: a database that speaks first, as MySQL does, and no HTTP. */
export const ledgerAddress = '10.96.0.20:5432'

/** Where the mesh has a service that the catalog takes for HTTP only, and one that the catalog lacks. */
export const httpOnlyAddress = '10.96.0.22:5432'
export const unlistedAddress = '10.96.0.21:5432'

/** The greeting of the ledger, sent before it reads anything. */
export const greeting = 'ledger 1\n'

const entry = `
  - name: ledger
    owner: billing-team
    addresses: [ledger.hospital.svc.cluster.local:5432, ${ledgerAddress}]
    spiffeId: spiffe://hospital.example/ns/hospital/sa/ledger
    waypoint: ${waypoint}
    tcp: true
    chainless: [${workloads['agent-a']}, ${workloads['agent-d']}]

  - name: http-only
    owner: billing-team
    addresses: [http-only.hospital.svc.cluster.local:5432, ${httpOnlyAddress}]
    spiffeId: spiffe://hospital.example/ns/hospital/sa/http-only
    waypoint: ${waypoint}
    chainless: [${workloads['agent-a']}]
`

/** Agent A may connect; agent D is let in by the catalog and permitted by no policy. */
const policy = `@id("agent-a-connects")
permit (
  principal == Autonomous::"${workloads['agent-a']}",
  action == Action::"connect",
  resource == Service::"ledger"
);
`

/** Writes the sample policies with the ledger beside their services, and returns where. */
export function policiesWithLedger(directory: string): string {
  const policies = join(directory, 'policies')
  cpSync('policies', policies, { recursive: true })
  const catalog = join(policies, 'services.yaml')
  writeFileSync(catalog, `${readFileSync(catalog, 'utf8')}${entry}`)
  writeFileSync(join(policies, 'billing-team', 'ledger.cedar'), policy)
  return policies
}

/** A database that greets, and answers each line with the same line; it remembers all that it heard. */
export type Ledger = AsyncDisposable & {
  /** The ledger by its own name, and by those of the other services. */
  readonly services: readonly TcpService[]
  readonly heard: () => string
}

/** Starts the ledger on any free port of loopback. */
export async function startLedger(): Promise<Ledger> {
  const sockets = new Set<Socket>()
  let heard = ''
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1')
      socket.write(chunk)
    })
    socket.write(greeting)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('expected a port')
  const { port } = address
  return {
    services: [
      toService('ledger', ledgerAddress, port),
      toService('http-only', httpOnlyAddress, port),
      toService('unlisted', unlistedAddress, port),
    ],
    heard: () => heard,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function toService(name: string, address: string, port: number): TcpService {
  const [vip = '', vipPort] = address.split(':')
  return { name, vip, vipPort: Number(vipPort), host: `${name}.hospital.svc.cluster.local`, port }
}
