import type { KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type Invalid, invalid } from '../../base/model/invalid.ts'
import { highWaterMark, splitLines } from '../format/lines.ts'
import type { DecisionRecord } from '../format/record.ts'
import type { Leaf } from '../log/check-progress.ts'
import { createKeyring } from '../log/keyring.ts'
import { type ProofLevel, supersedes } from '../log/proof-level.ts'
import { describe } from '../log/segment-file.ts'
import type { Flaw } from '../log/tampering.ts'
import { findEvidence } from '../verify/evidence.ts'
import { foundBy, type OpenLog, openLogs } from '../verify/open-logs.ts'
import { walkLog } from '../verify/walk-log.ts'
import { type LogLine, RecordReader, type Wanted } from './record-reader.ts'

/** The wanted lines, and the public keys of the logs. Without keys, the keys beside the logs are trusted. */
export type Query = Wanted & { readonly keys?: readonly KeyObject[] | undefined }

/** The content of one line, with the proof level of a record. */
export type FoundLine =
  | Exclude<LogLine, { readonly kind: 'record' }>
  | (Extract<LogLine, { readonly kind: 'record' }> & { readonly standing: ProofLevel })

const stdin = '-'
const maxNamed = 5

/**
 * Reads the records of log directories, segment files and standard input (`-`). From a log it yields only signed records,
 * and the unsigned ones at its end; `standing` says which. Other files there are reported and not read.
 */
export async function* readRecords(paths: readonly string[], query: Query = {}): AsyncGenerator<FoundLine> {
  const { segments, loose, strays } = await findEvidence(paths)
  for (const { path, reason } of strays) yield { kind: 'bad', file: path, line: 0, reason }
  const reader = new RecordReader(query)
  for (const log of await openLogs(segments, createKeyring(query.keys))) yield* readLog(log, reader)
  for (const file of loose) yield* readLoose(file, reader)
}

/** A decision's record and its proof level. */
export type FoundDecision = {
  readonly kind: 'found'
  readonly record: DecisionRecord
  readonly standing: ProofLevel
  /** Lines and files that were not read, with reasons. */
  readonly unread: readonly string[]
}

/**
 * Finds one decision's record: the best proven, and of those the last. A refusal to allow without a record has the same
 * id as the allow.
 */
export async function findDecision(
  paths: readonly string[],
  decisionId: string,
  keys?: Query['keys'],
): Promise<FoundDecision | Invalid> {
  const unread: string[] = []
  const torn: string[] = []
  let found: Extract<FoundLine, { readonly kind: 'record' }> | undefined
  // Most lines are of other decisions, so only lines that contain this id are parsed.
  for await (const line of readRecords(paths, { mentions: [decisionId], keys })) {
    if (line.kind === 'record') {
      const isIt = line.record.decisionId === decisionId
      if (isIt && supersedes(line.standing, found?.standing)) found = line
    } else if (line.kind === 'torn')
      torn.push(formatBad({ ...line, kind: 'bad', reason: 'its last line is torn' }))
    else if (line.kind === 'bad') unread.push(formatBad(line))
  }
  if (found !== undefined) {
    const { record, standing } = found
    return { kind: 'found', record, standing, unread }
  }
  const missing = `no record of decision \`${decisionId}\`; name every replica's log`
  const others = [...unread, ...torn]
  return invalid(
    others.length === 0 ? missing : `${missing}; not read: ${others.slice(0, maxNamed).join('; ')}`,
  )
}

/** Formats the place and the reason of a line or file that was not read. */
export function formatBad({ file, line, reason }: Extract<LogLine, { readonly kind: 'bad' }>): string {
  return line === 0 ? `\`${file}\`: ${reason}` : `${file}:${line}: ${reason}`
}

async function* readLog(log: OpenLog, reader: RecordReader): AsyncGenerator<FoundLine> {
  const { keyProblem, copies, segments } = log
  const [first] = segments
  if (keyProblem !== undefined) {
    yield {
      kind: 'bad',
      file: first?.path ?? log.directory,
      line: 0,
      reason: `it is not read: ${keyProblem}; or give the file on standard input, to read it at its word`,
    }
    return
  }
  for (const { path } of copies) {
    const reason = 'it is not read: another file is this segment of this log already'
    yield { kind: 'bad', file: path, line: 0, reason }
  }
  const lines: FoundLine[] = []
  let flaw: Flaw | undefined
  const take = (leaves: readonly Leaf[], standing: ProofLevel): void => {
    for (const { raw } of leaves) {
      const line = toFound(reader.read(raw), standing)
      if (line !== undefined) lines.push(line)
    }
  }
  const walk = walkLog({
    ...log,
    ...foundBy(log),
    onSigned: (leaves, by) => take(leaves, by === 'checkpoint' ? 'signed' : 'followed'),
    onFlaw(found) {
      flaw ??= found
    },
  })
  let step = await walk.next()
  for (; step.done !== true; step = await walk.next()) yield* lines.splice(0)
  const { checkpoint, isVouched, unsigned, tornBytes } = step.value
  const isSigned = checkpoint !== undefined || isVouched
  if (isSigned) take(unsigned, 'unsigned')
  yield* lines
  const last = segments.at(-1)?.path ?? log.directory
  if (tornBytes > 0) yield { kind: 'torn', file: last, line: 0 }
  if (flaw !== undefined)
    yield { kind: 'bad', ...toPlace(flaw), reason: `${flaw.message}; \`audit verify\` says more` }
  else if (!isSigned && unsigned.some(({ kind }) => kind === undefined)) {
    const reason = 'not read: it was never signed'
    yield { kind: 'bad', file: first?.path ?? last, line: 0, reason }
  }
}

function toFound(line: LogLine | undefined, standing: ProofLevel): FoundLine | undefined {
  return line?.kind === 'record' ? { ...line, standing } : line
}

function toPlace({ file, line }: Flaw): Pick<LogLine, 'file' | 'line'> {
  return { file, line }
}

async function* readLoose(file: string, reader: RecordReader): AsyncGenerator<FoundLine> {
  try {
    const chunks = file === stdin ? process.stdin : createReadStream(file, { highWaterMark })
    for await (const lines of splitLines(file, chunks)) {
      for (const raw of lines) {
        const line = toFound(reader.read(raw), 'claimed')
        if (line !== undefined) yield line
      }
    }
  } catch (cause) {
    yield { kind: 'bad', file, line: 0, reason: describe(cause) }
  }
}
