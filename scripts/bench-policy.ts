import { judge } from '../src/check/judge.ts'
import { isDeny } from '../src/model/decision.ts'
import { toPolicyFiles } from '../src/revision/directory-source.ts'
import { loadRevision } from '../src/revision/load.ts'
import type { Revision } from '../src/revision/revision.ts'
import { targetOf } from '../src/revision/target.ts'
import { caller, clerk, delegated, hospital } from '../test/support/identities.ts'
import { toRepository } from './bench/repository.ts'

// What a decision costs that nothing is remembered of, by the number of policies: many services, five policies each.

const rounds = 7
const callsPerRound = 200

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
  decide(revision, 0)
  const firstMs = performance.now() - firstStarted
  const rates = Array.from({ length: rounds }, (_, round) => {
    const begun = process.cpuUsage()
    for (let call = 0; call < callsPerRound; call++) decide(revision, 1 + round * callsPerRound + call)
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
function decide(revision: Revision, call: number): void {
  const { services } = revision.catalog
  const service = services[call % Math.min(services.length, 10)]
  const target = service && targetOf(service, { method: 'GET', path: `/patients/${call}`, isUpgrade: false })
  if (target === undefined || isDeny(target)) throw new RangeError('no target')
  const decision = judge(caller(hospital.agentD), delegated(clerk, [hospital.agentA]), target, revision)
  if (isDeny(decision)) throw new RangeError(decision.reason)
}

function load(policies: number): Revision {
  const revision = loadRevision(toPolicyFiles(toRepository(policies)))
  if ('catalog' in revision) return revision
  throw new RangeError(revision.map(({ message }) => message).join('\n'))
}
