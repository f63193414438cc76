import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { waypoint, workloads } from '../../demo/world.ts'

/** Where the service that the benchmarks ask about is found. */
export const benchService: { readonly name: string; readonly vip: string; readonly vipPort: number } = {
  name: 'service-0',
  vip: '10.96.0.10',
  vipPort: 8080,
}

const policiesPerService = 5

const schema = `entity Patient in [Service];
action "read-record" in [Action::"read"] appliesTo {principal: [Agent, User], resource: [Patient], context: RequestContext};`

/** A policy repository as a hospital has it: many services, few policies each. `addresses` lead to its first service, too. */
export function toRepository(
  policies: number,
  addresses: readonly string[] = [],
): ReadonlyMap<string, string> {
  const names = Array.from(
    { length: Math.max(1, policies / policiesPerService) },
    (_, index) => `service-${index}`,
  )
  const services = names.map((name, index) => toService(name, index, index === 0 ? addresses : []))
  return new Map([
    ['services.yaml', JSON.stringify({ services })],
    ['schema.cedarschema', schema],
    ['entities.json', '[]'],
    ...names.map((name) => [`${name}/policies.cedar`, toPolicies(name)] as const),
  ])
}

/** Writes files by their paths below a directory. */
export function writeFiles(directory: string, files: ReadonlyMap<string, string>): string {
  for (const [path, text] of files) {
    mkdirSync(join(directory, dirname(path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return directory
}

function toService(name: string, index: number, addresses: readonly string[]) {
  const { vip, vipPort } = benchService
  const other = `10.${Math.floor(index / 62_500) + 1}.${Math.floor(index / 250) % 250}.${(index % 250) + 1}:80`
  return {
    name,
    owner: name,
    addresses: index === 0 ? [`${vip}:${vipPort}`, ...addresses] : [other],
    spiffeId: `spiffe://hospital.example/ns/bench/sa/${name}`,
    waypoint,
    forwards: true,
    routes: [{ match: 'GET /patients/{patientId}', action: 'read-record', resource: 'Patient::{patientId}' }],
  }
}

function toPolicies(service: string): string {
  const on = `action == Action::"read-record", resource in Service::"${service}"`
  return `permit (principal == Agent::"${workloads['agent-d']}", ${on}) when { context.role == "caller" };
permit (principal == Agent::"${workloads['agent-a']}", ${on}) when { context.role == "delegator" };
permit (principal in Group::"hospital/billing", ${on}) when { context.role == "subject" };
permit (principal in Group::"hospital/clinicians", ${on}) when { context.role == "subject" };
forbid (principal is User, ${on}) unless { principal in Group::"hospital/billing" || principal in Group::"hospital/clinicians" };
`
}
