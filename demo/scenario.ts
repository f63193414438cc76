import { agentsAudience, clerk, clinician, type Idp, recordsAudience, type User } from './idp.ts'
import { type Call, type CallResult, nestedResults, toResult } from './services/task.ts'
import { findStep } from './steps.ts'
import { findService, type Lane, type ServiceName, waypoint, workloads } from './world.ts'

/** Where the story is played: on this machine's loopback, or in a cluster. */
export type Stage = {
  readonly idp: Idp
  readonly gatewayUrl: string
  /** How many Waywardens answer. */
  readonly replicas: number
}

/** Plays the story in one lane and returns what each step got, by name. */
export async function playScenario(stage: Stage, lane: Lane): Promise<ReadonlyMap<string, CallResult>> {
  const recordsTokenOfR = await stage.idp.issueToken({ id: 'agent-r', groups: [] }, recordsAudience)
  const read = (step: string): Call => toCall(step, { headers: bearer(recordsTokenOfR) })
  const askD = toCall('a-asks-d', { calls: await callsOfD(stage), handsOver: true })
  const results = [
    ...(await askAs(stage, clerk, 'billing-agent', [askD], { lane, step: 'clerk-asks-billing' })),
    ...(await askAs(stage, clinician, 'records-agent', [read('clinician-reads-record')], { lane })),
    ...(await askAs(stage, clerk, 'records-agent', [read('clerk-uses-r')], { lane })),
  ]
  return new Map(results.map((result) => [result.step, result]))
}

/**
 * Asks a few times without looking at the answers. The first checks of a process compile its code and open its
 * connections; on a machine that is busy with starting all the others, that can take longer than Envoy waits.
 */
export async function warmUp(stage: Stage): Promise<void> {
  const askD = toCall('a-asks-d', { calls: [toCall('d-checks-insurance')] })
  for (const _ of Array.from({ length: 3 * stage.replicas })) {
    await askAs(stage, clerk, 'billing-agent', [askD])
  }
}

/** Lets a user ask an agent through the gateway; the first result is what the user got, the others what the agents report. */
export async function askAs(
  stage: Stage,
  user: User,
  to: ServiceName,
  calls: readonly Call[],
  { lane = 'guarded', step = `${user.id}-asks-${to}` }: { readonly lane?: Lane; readonly step?: string } = {},
): Promise<readonly CallResult[]> {
  const token = await stage.idp.issueToken(user, agentsAudience)
  const startedMs = performance.now()
  const response = await fetch(`${stage.gatewayUrl}/${to}/tasks`, {
    method: 'POST',
    headers: { ...bearer(token), 'x-demo-lane': lane },
    body: JSON.stringify({ lane, calls }),
  })
  const body = await response.text()
  const ms = performance.now() - startedMs
  const answer = { status: response.status, headers: Object.fromEntries(response.headers), body, ms }
  return [toResult(step, answer), ...nestedResults(answer)]
}

/** Everything that D does with the work that A gave it. */
async function callsOfD(stage: Stage): Promise<readonly Call[]> {
  const stolen = bearer(await stage.idp.issueToken(clinician, recordsAudience))
  const host = `${findService('insurance').host}:8080`
  const xfcc = `By=${waypoint};URI=${workloads['agent-r']}`
  return [
    toCall('d-checks-insurance'),
    toCall('d-reads-records'),
    toCall('d-holds-records-token', { headers: stolen }),
    toCall('d-without-chain', { chain: 'none' }),
    toCall('d-replays-a', { chain: 'handed-over' }),
    toCall('d-lies-about-host', { headers: { ...stolen, host } }),
    toCall('d-forges-xfcc', { headers: { ...stolen, 'x-forwarded-client-cert': xfcc } }),
  ]
}

/** The call of a step, as the story has it. */
export function toCall(name: string, more: Partial<Call> = {}): Call {
  const { step, to, method, path } = findStep(name)
  return { step, to, method, path, ...more }
}

function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` }
}
