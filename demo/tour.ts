import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Hospital } from './hospital.ts'
import { agentsAudience, clerk } from './idp.ts'
import type { Outcome } from './outcome.ts'

/** Tells a person at the terminal how to look further while the hospital is open. */
export async function formatTour(hospital: Hospital, outcomes: readonly Outcome[]): Promise<string> {
  const { ports } = hospital
  const token = join(hospital.directory, 'clerk.token')
  writeFileSync(token, await hospital.idp.issueToken(clerk, agentsAudience), { mode: 0o600 })
  const refused = outcomes.find(({ step }) => step === 'clerk-uses-r')?.decisionId ?? 'DECISION'
  const outbound = `http://127.0.0.1:${hospital.outboundOf('agent-d')}`
  const admin = `http://127.0.0.1:${ports.waywardens[0]?.adminPort}`
  const [audit = ''] = hospital.auditDirectories
  return `
Look further, in another terminal:

  call the records as agent D (its way out of the mesh, so its certificate):
    curl -s --proxytunnel --proxy ${outbound} http://10.96.0.11:8080/patients/p-7
  ask agent A as the clerk, who hands work to D:
    curl -s http://127.0.0.1:${ports.workloads.gateway}/billing-agent/tasks -H "authorization: Bearer $(cat ${here(token)})" \\
      -d '{"lane": "guarded", "calls": [{"step": "mine", "to": "insurance-agent", "method": "POST", "path": "/tasks", "calls": []}]}'
  why was a decision made?
    node dist/main.js why ${refused} --audit ${here(audit)}
  Waywarden:   ${admin}/readyz  ${admin}/metrics  ${admin}/.well-known/jwks.json
  Envoy:       http://127.0.0.1:${ports.waypointAdmin} (waypoint)  http://127.0.0.1:${ports.ztunnelAdmin} (ztunnel stand-in)
  files:       ${here(hospital.directory)}: configuration, certificates, logs, the waypoint's access log, the audit log

Ctrl-C closes the hospital.`
}

function here(path: string): string {
  return relative(process.cwd(), path)
}
