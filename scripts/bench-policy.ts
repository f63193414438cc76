import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isDeny } from '../src/base/model/decision.ts'
import { isProblems } from '../src/base/model/problems.ts'
import { judge } from '../src/decision/check/judge.ts'

import type { CatalogService } from '../src/policy/catalog/catalog.ts'
import { targetOf } from '../src/policy/catalog/target.ts'
import { loadRevision } from '../src/policy/revision/load.ts'
import type { Revision } from '../src/policy/revision/revision.ts'
import { toPolicyFiles } from '../src/policy/source/policy-files.ts'
import { caller, clerk, delegated, hospital } from '../test/support/identities.ts'
import { residentMebibytes } from '../test/support/memory.ts'
import { toRepository } from './bench/repository.ts'

// Measures an uncached decision, and the memory of policies, by the number of policies: many services, five policies
// each. Every number has a process of its own, so that none pays for what another has left.

// Node has it; only the DOM's types, which are not for servers, declare it.
declare const WebAssembly: { Instance: new (...args: never[]) => { readonly exports: Record<string, never> } }

type Row = {
  readonly policies: number
  readonly loadMs: number
  readonly firstMs: number
  readonly coldMicros: number
  readonly loaded: Memory
  /** Once every policy has been asked at least once. */
  readonly asked: Memory
  readonly peakMiB: number
}

type Memory = { readonly residentMiB: number; readonly heapMiB: number; readonly wasmMiB: number }

const rounds = 7
const callsPerRound = 200
const mebibyte = 1024 * 1024
const counts = [10, 100, 1_000, 10_000]

const [asChild] = process.argv.slice(2)
if (asChild === undefined) print(counts.map(measureApart))
else console.log(JSON.stringify(await measure(Number(asChild))))

function measureApart(policies: number): Row {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), String(policies)]
  return JSON.parse(
    execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
  )
}

function print(rows: readonly Row[]): void {
  const [least] = rows
  printTable(rows, ({ loadMs, firstMs, coldMicros }) => ({
    'load ms': Math.round(loadMs),
    'first answer ms': Number(firstMs.toFixed(1)),
    'cold decision µs': Math.round(coldMicros),
    'ratio to 10': Number((coldMicros / (least?.coldMicros ?? coldMicros)).toFixed(2)),
  }))
  const cells = ({ residentMiB, heapMiB, wasmMiB }: Memory) =>
    [residentMiB, heapMiB, wasmMiB].map(Math.round).join(' / ')
  console.log('MiB: resident / heap / engines (WebAssembly)')
  printTable(rows, ({ loaded, asked, peakMiB }) => ({
    loaded: cells(loaded),
    'all asked': cells(asked),
    'peak resident': Math.round(peakMiB),
  }))
  const most = rows.at(-1)
  if (least === undefined || most === undefined) return
  const per1000 = (part: keyof Memory) =>
    (((most.asked[part] - least.asked[part]) / (most.policies - least.policies)) * 1000).toFixed(1)
  console.log(
    `per 1,000 policies, all asked: ${per1000('residentMiB')} MiB resident, of which ${per1000('heapMiB')} heap and ${per1000('wasmMiB')} engines`,
  )
}

function printTable(rows: readonly Row[], toCells: (row: Row) => Record<string, string | number>): void {
  console.table(Object.fromEntries(rows.map((row) => [row.policies, toCells(row)])))
}

async function measure(policies: number): Promise<Row> {
  const engines = countEngines()
  const started = performance.now()
  const revision = load(policies)
  const loadMs = performance.now() - started
  const loaded = await weigh(engines)
  const firstStarted = performance.now()
  decide(revision, 0)
  const firstMs = performance.now() - firstStarted
  const rates = Array.from({ length: rounds }, (_, round) => {
    const begun = process.cpuUsage()
    for (let call = 0; call < callsPerRound; call++) decide(revision, 1 + round * callsPerRound + call)
    const { user, system } = process.cpuUsage(begun)
    return (user + system) / callsPerRound
  })
  const coldMicros = rates.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0
  for (const service of revision.catalog.services) ask(revision, service, 0)
  const asked = await weigh(engines)
  return {
    policies,
    loadMs,
    firstMs,
    coldMicros,
    loaded,
    asked,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  }
}

/** Whatever instance of WebAssembly is made from now on is looked at later, if it is still held then. */
function countEngines(): () => number {
  const memories: WeakRef<{ readonly buffer: ArrayBuffer }>[] = []
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(target, args) {
      const instance = Reflect.construct(target, args)
      if (instance.exports.memory !== undefined) memories.push(new WeakRef(instance.exports.memory))
      return instance
    },
  })
  return () => memories.reduce((sum, memory) => sum + (memory.deref()?.buffer.byteLength ?? 0), 0)
}

async function weigh(engines: () => number): Promise<Memory> {
  const residentMiB = await residentMebibytes()
  return { residentMiB, heapMiB: process.memoryUsage().heapUsed / mebibyte, wasmMiB: engines() / mebibyte }
}

/** Each call asks about another patient, so that nothing that is remembered helps; the services take turns among ten. */
function decide(revision: Revision, call: number): void {
  const { services } = revision.catalog
  const service = services[call % Math.min(services.length, 10)]
  if (service === undefined) throw new RangeError('no service')
  ask(revision, service, call)
}

function ask(revision: Revision, service: CatalogService, patient: number): void {
  const target = targetOf(service, { method: 'GET', path: `/patients/${patient}`, isUpgrade: false })
  if (isDeny(target)) throw new RangeError(target.reason)
  const decision = judge(caller(hospital.agentD), delegated(clerk, [hospital.agentA]), target, revision)
  if (isDeny(decision)) throw new RangeError(decision.reason)
}

function load(policies: number): Revision {
  const revision = loadRevision(toPolicyFiles(toRepository(policies)))
  if (!isProblems(revision)) return revision
  throw new RangeError(revision.problems.map(({ message }) => message).join('\n'))
}
