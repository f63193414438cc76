import { createPublicKey, type KeyObject } from 'node:crypto'
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { frameLine } from '../../src/audit/format/framed.ts'
import { formatRecord } from '../../src/audit/format/record.ts'
import { toRecord } from '../../src/audit/format/to-record.ts'
import { openLogKey, publicKeyFile } from '../../src/audit/log/log-key.ts'
import { readRecords } from '../../src/audit/read/query.ts'
import { verifyLogs } from '../../src/audit/verify/verify.ts'
import { type AuditLogOptions, toSealedLogOptions } from '../../src/audit/write/audit-log-options.ts'
import { openAuditLog } from '../../src/audit/write/open-audit-log.ts'
import { SealedLog, type SealedLogOptions } from '../../src/audit/write/sealed-log.ts'
import type { RecordParts } from '../../src/base/model/record-parts.ts'
import { deniedParts } from './decision.ts'

/** Writes a whole log, from opening to shutdown, with a decision for each id. */
export async function writeLog(
  directory: string,
  ids: readonly string[],
  options: Partial<AuditLogOptions> = {},
  toParts: (decisionId: string) => RecordParts = deniedParts,
): Promise<void> {
  await using log = openAuditLog({
    directory,
    mode: 'written',
    stdout: false,
    origin: 'replica',
    report: () => {},
    reserveBytes: 64 * 1024,
    ...options,
  })
  for (const id of ids) await log.append(toParts(id))
}

/** Writes a log whose process is killed: what it wrote last is not signed, and `torn` is a line that it did not finish. */
export async function writeKilledLog(
  directory: string,
  ids: readonly string[],
  options: Partial<AuditLogOptions> = {},
  torn = '',
): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const log = new SealedLog(
    toSealedLogOptions(
      { directory, mode: 'written', stdout: false, origin: 'replica', report: () => {}, ...options },
      { onSealed: () => {}, onRotated: () => {} },
    ),
  )
  log.put([])
  for (const id of ids) log.put([frameLine(formatRecord(toRecord(deniedParts(id))))])
  const { fd, path } = log.segment ?? expect.fail('the log has no segment')
  // As SIGKILL leaves it.
  closeSync(fd)
  appendFileSync(path, torn)
}

/** Opens a log of lines that may say anything. */
export function openSealedLog(directory: string, options: Partial<SealedLogOptions> = {}): SealedLog {
  return new SealedLog({
    directory,
    origin: 'replica',
    epochMs: 7,
    authority: 'waywarden/audit',
    key: openLogKey(directory, undefined),
    follows: undefined,
    maxSegmentBytes: 64_000_000,
    sealEvery: 1000,
    write: writeSync,
    nowMs: Date.now,
    onSealed: () => {},
    onRotated: () => {},
    ...options,
  })
}

/** Writes a log of these lines, and seals it. */
export function writeLines(directory: string, lines: readonly string[], maxSegmentBytes?: number): void {
  using log = openSealedLog(directory, maxSegmentBytes === undefined ? {} : { maxSegmentBytes })
  for (const line of lines) log.put([frameLine(`${line}\n`)])
}

/** Ids that are told apart at a glance. */
export function decisionIds(count: number, prefix = 'd'): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(4, '0')}`)
}

/** A directory's segments, oldest first. */
export function segmentsOf(directory: string): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .map((name) => join(directory, name))
}

/** The ids of the decisions that a directory's logs have on record, in their order. */
export async function decisionsIn(directory: string): Promise<readonly string[]> {
  const found: string[] = []
  for await (const line of readRecords([directory]))
    if (line.kind === 'record') found.push(line.record.decisionId)
  return found
}

/** The problems that verification finds in a directory's logs; empty if there is none. */
export async function flawsIn(directory: string): Promise<readonly unknown[]> {
  const trust = { keys: [publicKeyOf(directory)], exported: [] }
  const { logs, problems } = await verifyLogs([directory], trust)
  return [...problems, ...logs.flatMap(({ flaws }) => flaws)]
}

/** The key that verifies a directory's logs. */
export function publicKeyOf(directory: string): KeyObject {
  return createPublicKey(readFileSync(join(directory, publicKeyFile)))
}

/** Changes a file's lines as somebody would who has the disk and not the key. */
export function tamper(file: string, change: (lines: string[]) => readonly string[]): void {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  writeFileSync(
    file,
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  )
}
