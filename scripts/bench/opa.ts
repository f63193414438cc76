import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../demo/ports.ts'
import { waywardenIssuer } from '../../demo/waywarden.ts'
import { workloads } from '../../demo/world.ts'
import { benchService } from './repository.ts'
import { type Server, startOther } from './servers.ts'
import type { World } from './world.ts'

const policy = join(import.meta.dirname, '../../loadtest/opa/policy.rego')

/** Starts an OPA-Envoy that somebody has built, with a policy that decides as the others do. */
export async function startOpa(world: World, program: string): Promise<Server> {
  const data = join(world.directory, 'opa.json')
  const [apiPort = 0] = await freePorts(1)
  writeFileSync(data, JSON.stringify({ bench: toData(world.requests.jwks) }))
  return startOther(world.processes, world.directory, 'OPA-Envoy', program, (address) => [
    ...['run', '--server', `--addr=127.0.0.1:${apiPort}`, '--disable-telemetry', '--log-level=error'],
    `--set=plugins.envoy_ext_authz_grpc.addr=${address}`,
    '--set=plugins.envoy_ext_authz_grpc.path=waywarden/bench/result',
    '--set=plugins.envoy_ext_authz_grpc.skip-request-body-parse=true',
    ...[policy, data],
  ])
}

function toData(jwks: string): object {
  const { name, vip, vipPort } = benchService
  const permits = [
    { role: 'caller', principal: workloads['agent-d'] },
    { role: 'delegator', principal: workloads['agent-a'] },
    { role: 'subject', principal: 'billing' },
    { role: 'subject', principal: 'clinicians' },
  ]
  return {
    jwks,
    issuer: waywardenIssuer,
    addresses: { [`${vip}:${vipPort}`]: name },
    permits: { [name]: permits },
  }
}
