import { judge } from '../src/check/judge.ts'
import { isDeny } from '../src/model/decision.ts'
import { toPolicyFiles } from '../src/revision/directory-source.ts'
import { loadRevision } from '../src/revision/load.ts'
import type { Revision } from '../src/revision/revision.ts'
import { targetOf } from '../src/revision/target.ts'
import { caller, clerk, delegated, hospital } from '../test/support/identities.ts'
import { waypoint } from '../test/support/policy-files.ts'

// What a decision costs that nothing is remembered of, by the number of policies: many services, five policies each.

const policiesPerService = 5
const rounds = 7
const callsPerRound = 200

const schema = `entity Patient in [Service];
action "read-record" in [Action::"read"] appliesTo {principal: [Agent, User], resource: [Patient], context: RequestContext};`

const counts = [10, 100, 1_000, 10_000]
const rows = counts.map(measure)
const [least] = rows
console.log('policies  load ms  first answer ms  cold decision µs  ratio to 10')
for (const { policies, loadMs, firstMs, coldMicros } of rows) {
  const ratio = least === undefined ? 1 : coldMicros / least.coldMicros
  const cells = [policies, loadMs.toFixed(0), firstMs.toFixed(1), coldMicros.toFixed(0), ratio.toFixed(2)]
  console.log(cells.map((cell, index) => String(cell).padStart([8, 8, 16, 17, 12][index] ?? 8)).join(' '))
}

function measure(policies: number): {
  policies: number
  loadMs: number
  firstMs: number
  coldMicros: number
} {
  const started = performance.now()
  const revision = load(policies)
  const loadMs = performance.now() - started
  const firstStarted = performance.now()
  decide(revision, 0, policies)
  const firstMs = performance.now() - firstStarted
  const rates = Array.from({ length: rounds }, (_, round) => {
    const begun = process.cpuUsage()
    for (let call = 0; call < callsPerRound; call++)
      decide(revision, 1 + round * callsPerRound + call, policies)
    const { user, system } = process.cpuUsage(begun)
    return (user + system) / callsPerRound
  })
  return {
    policies,
    loadMs,
    firstMs,
    coldMicros: rates.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0,
  }
}

/** Each call asks about another patient, so that nothing that is remembered helps; the services take turns among ten. */
function decide(revision: Revision, call: number, policies: number): void {
  const services = Math.max(1, policies / policiesPerService)
  const service = revision.catalog.byName.get(`service-${call % Math.min(services, 10)}`)
  const target = service && targetOf(service, { method: 'GET', path: `/patients/${call}`, isUpgrade: false })
  if (target === undefined || isDeny(target)) throw new RangeError('no target')
  const decision = judge(caller(hospital.agentD), delegated(clerk, [hospital.agentA]), target, revision)
  if (isDeny(decision)) throw new RangeError(decision.reason)
}

function load(policies: number): Revision {
  const services = Array.from(
    { length: Math.max(1, policies / policiesPerService) },
    (_, index) => `service-${index}`,
  )
  const files = new Map([
    ['services.yaml', JSON.stringify({ services: services.map(toService) })],
    ['schema.cedarschema', schema],
    ...services.map((name) => [`${name}/policies.cedar`, toPolicies(name)] as const),
  ])
  const revision = loadRevision(toPolicyFiles(files))
  if ('catalog' in revision) return revision
  throw new RangeError(revision.map(({ message }) => message).join('\n'))
}

function toService(name: string, index: number) {
  return {
    name,
    owner: name,
    addresses: [
      `10.${Math.floor(index / 62_500) + 1}.${Math.floor(index / 250) % 250}.${(index % 250) + 1}:80`,
    ],
    spiffeId: `spiffe://hospital.example/ns/bench/sa/${name}`,
    waypoint,
    routes: [{ match: 'GET /patients/{patientId}', action: 'read-record', resource: 'Patient::{patientId}' }],
  }
}

function toPolicies(service: string): string {
  const on = `action == Action::"read-record", resource in Service::"${service}"`
  return `permit (principal == Agent::"${hospital.agentD?.uri}", ${on}) when { context.role == "caller" };
permit (principal == Agent::"${hospital.agentA?.uri}", ${on}) when { context.role == "delegator" };
permit (principal in Group::"hospital/billing", ${on}) when { context.role == "subject" };
permit (principal in Group::"hospital/clinicians", ${on}) when { context.role == "subject" };
forbid (principal is User, ${on}) unless { principal in Group::"hospital/billing" || principal in Group::"hospital/clinicians" };
`
}
