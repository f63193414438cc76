import type { KeyObject } from 'node:crypto'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { DecisionRecord } from '../../src/audit/format/record.ts'
import { formatRecord } from '../../src/audit/format/record.ts'
import { toRecord } from '../../src/audit/format/to-record.ts'
import { formatBeside } from '../../src/audit/log/worker-logs.ts'
import { readRecords } from '../../src/audit/read/query.ts'
import { verifyLogs } from '../../src/audit/verify/verify.ts'
import { openAuditLog } from '../../src/audit/write/open-audit-log.ts'
import { deniedParts } from './decision.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { decisionIds, publicKeyOf, writeKilledLog, writeLog } from './written-log.ts'

/** When the logs were written; each next one began an hour later. */
const begunMs = 1_790_000_000_000
const hourMs = 3_600_000
const small = { maxSegmentBytes: 12_000, sealEvery: 5 }

/** Options of a log that began so many hours after the first. */
export function at(hours: number): {
  readonly epochMs: number
  readonly nowMs: () => number
  readonly maxSegmentBytes: number
  readonly sealEvery: number
} {
  const ms = begunMs + hours * hourMs
  return { ...small, epochMs: ms, nowMs: () => ms }
}

/** A directory with three logs of one writer: closed; killed in the middle of a line; closed. */
export async function writeThreeLogs(): Promise<string> {
  const directory = join(temporaryDirectory(), 'audit')
  await writeLog(directory, decisionIds(12, 'a'), at(0))
  await writeKilledLog(directory, decisionIds(8, 'b'), at(1), '{"version":1,"kind":"dec')
  await writeLog(directory, decisionIds(6, 'c'), at(2))
  return directory
}

/** An audit directory with the logs of three workers, closed at the same time, and of one process that decided alone before. */
export async function writeWorkerLogs(): Promise<string> {
  const directory = join(temporaryDirectory(), 'audit')
  await writeLog(directory, decisionIds(4, 'p'), at(0))
  const key = join(directory, 'log-key')
  const folder = (worker: number) => join(directory, `worker-${worker}`)
  const workers = [1, 2, 3]
  for (const [hours, prefix] of [
    [1, 'w'],
    [2, 'x'],
  ] as const) {
    const logs = workers.map((worker) =>
      openAuditLog({
        ...{ directory: folder(worker), worker, key, origin: `replica-${worker}` },
        ...{ mode: 'written', stdout: false, report: () => {}, reserveBytes: 0 },
        ...at(hours),
      }),
    )
    const names = logs.map(({ name }, index) => formatBeside(name, index + 1))
    for (const [index, log] of logs.entries()) {
      log.nameBeside(names.filter((_, other) => other !== index))
      for (const id of decisionIds(4, `${prefix}${index + 1}`)) await log.append(deniedParts(id))
    }
    for (const log of logs) await log[Symbol.asyncDispose]()
  }
  return directory
}

/** The same files, to be attacked. */
export function copyOf(directory: string): string {
  const copy = join(temporaryDirectory(), 'audit')
  cpSync(directory, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

/** Another record: an allow where there was a denial. */
export function forgedLine(decisionId: string): string {
  const record = toRecord({ ...deniedParts(decisionId), decision: { kind: 'allow', results: [] } })
  return formatRecord(record)
}

/** The records that readers accept: id and outcome of each. */
export async function believedIn(
  paths: readonly string[],
  keys?: readonly KeyObject[],
): Promise<readonly string[]> {
  const believed: string[] = []
  for await (const line of readRecords(paths, { keys }))
    if (line.kind === 'record') believed.push(brief(line.record))
  return believed
}

/** The problems that verification finds: the file, or `-`, and what. */
export async function complaintsOf(
  paths: readonly string[],
  keyOf: string = paths[0] ?? '',
  asOfMs?: number,
): Promise<readonly string[]> {
  const trust = { keys: [publicKeyOf(keyOf)], exported: [], asOfMs }
  const { logs, problems } = await verifyLogs(paths, trust)
  return [...problems, ...logs.flatMap(({ flaws }) => flaws.map(({ file, message }) => `${file} ${message}`))]
}

function brief({ decisionId, outcome }: DecisionRecord): string {
  return `${decisionId} ${outcome}`
}
