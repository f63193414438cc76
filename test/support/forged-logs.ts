import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTree, leafHash, toBase64, toBytes } from '../../src/audit/format/merkle.ts'
import { formatMetaLine, parseMetaLine, type SegmentLine } from '../../src/audit/format/meta-line.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { at, forgedLine } from './attacked-logs.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { decisionIds, segmentsOf, writeLog } from './written-log.ts'

/** Of the three logs: the first was closed, the second killed, the third closed. */
export const names = ['replica-1790000000000', 'replica-1790003600000', 'replica-1790007200000'] as const

/** A log's segments, oldest first. */
export function filesOf(directory: string, log: string): readonly string[] {
  return segmentsOf(directory).filter((file) => file.includes(`${log}-`))
}

/** A log's last segment. */
export function lastOf(directory: string, log: string): string {
  return filesOf(directory, log).at(-1) ?? ''
}

/** Where the first segment of a log would lie. */
export function logFile(directory: string, log: string): string {
  return join(directory, `${log}-000000.ndjson`)
}

/** The next number of a segment. */
export function next(digits: string): string {
  return String(Number(digits) + 1).padStart(6, '0')
}

/** Leaves the lines of a file up to there. */
export function cutLines(file: string, end: number): void {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  writeFileSync(
    file,
    lines
      .slice(0, end)
      .map((line) => `${line}\n`)
      .join(''),
  )
}

/** How a log begins. */
export function opening(log: string): SegmentLine {
  const time = new Date(1_790_001_800_000).toISOString()
  const origin = `waywarden/audit/${log}`
  return { version: 1, kind: 'segment', time, log, origin, sequence: 0, size: 0, frontier: [] }
}

/** How a log ended, as a successor would say it. */
export function endOf(directory: string, log: string): SegmentLine['follows'] {
  const tree = createTree()
  const lines = filesOf(directory, log).flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'))
  for (const line of lines) tree.add(leafHash(Buffer.from(line)))
  const sequence = filesOf(directory, log).length - 1
  return { log, sequence, size: tree.size(), root: toBase64(tree.root()) }
}

/** Adds a segment that fits what is there: with the hashes that anybody can compute, and without a signature. */
export function goOn(directory: string, log: string): void {
  const tree = createTree()
  const files = filesOf(directory, log)
  for (const file of files) {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
    for (const line of lines) tree.add(leafHash(Buffer.from(line)))
  }
  const last = files.at(-1) ?? ''
  const before = parseMetaLine(Buffer.from(readFileSync(last, 'utf8').split('\n', 1)[0] ?? ''))
  const sequence = !isInvalid(before) && before.kind === 'segment' ? before.sequence : 0
  const meta: SegmentLine = {
    ...opening(log),
    sequence: sequence + 1,
    size: tree.size(),
    frontier: tree.frontier().map(toBase64),
    after: { sequence, bytes: readFileSync(last).lastIndexOf('\n') + 1, torn: true },
  }
  const file = last.replace(/\d{6}\.ndjson$/, `${next(String(sequence))}.ndjson`)
  writeFileSync(file, formatMetaLine(meta) + forgedLine('a-0003'))
}

/** Lines between two checkpoints of a log, behind a first line that says that any log goes on from there. */
export function replay(
  directory: string,
  log: string,
  as: Pick<SegmentLine, 'log' | 'origin' | 'sequence'>,
): string {
  const lines = filesOf(directory, log).flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'))
  const [before = 0, end = 0] = lines.flatMap((line, index) => (line.includes('"leaves"') ? [index] : []))
  const [tree, start] = [createTree(), before + 1]
  for (const line of lines.slice(0, start)) tree.add(leafHash(Buffer.from(line)))
  const meta = { ...opening(log), ...as, size: start, frontier: tree.frontier().map(toBase64) }
  const stretch = lines.slice(start, end)
  // No note signs the hashes in its own line.
  const leaves = toBytes(stretch.map((line) => leafHash(Buffer.from(line)))).toString('base64')
  const checkpoint = lines[end]?.replace(/"leaves":"[^"]*"/, `"leaves":"${leaves}"`)
  return [formatMetaLine(meta).trimEnd(), ...stretch, checkpoint, ''].join('\n')
}

/** A log of an installation that has another key. */
export async function foreignLog(directory: string, authority: string): Promise<void> {
  const other = temporaryDirectory()
  await writeLog(other, decisionIds(3, 'foreign'), { ...at(1), origin: 'foreign', authority })
  for (const file of segmentsOf(other)) copyFileSync(file, file.replace(other, directory))
}
