import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { signCheckpoint } from '../../src/audit/format/checkpoint.ts'
import { createTree, leafHash, toBase64, toBytes } from '../../src/audit/format/merkle.ts'
import { type FoundLog, formatMetaLine, type SegmentLine } from '../../src/audit/format/meta-line.ts'
import { openLogKey } from '../../src/audit/log/log-key.ts'

/** A log as versions wrote it that did not promise checkpoints, closed nothing and named no worker. */
export type RawLog = {
  readonly log: string
  readonly lines: readonly string[]
  readonly follows?: FoundLog | undefined
  /** Whether a checkpoint covers the lines; without it, its process was killed before it signed once. */
  readonly isSigned: boolean
}

/** Writes the log's only segment, and returns how its successor would find it. */
export function writeRawLog(directory: string, { log, lines, follows, isSigned }: RawLog): FoundLog {
  mkdirSync(directory, { recursive: true })
  const { privateKey, publicKey } = openLogKey(directory, undefined)
  const origin = `waywarden/audit/${log}`
  const file = join(directory, `${log}-000000.ndjson`)
  const time = '2026-09-21T14:13:20.000Z'
  const meta: SegmentLine = {
    version: 1,
    kind: 'segment',
    time,
    log,
    origin,
    sequence: 0,
    size: 0,
    frontier: [],
    follows,
  }
  const tree = createTree()
  const leaves: string[] = []
  const put = (line: string): void => {
    const leaf = leafHash(Buffer.from(line.trimEnd()))
    tree.add(leaf)
    leaves.push(leaf)
    appendFileSync(file, `${line.trimEnd()}\n`)
  }
  for (const line of [formatMetaLine(meta), ...lines]) put(line)
  if (isSigned) {
    const note = signCheckpoint({ origin, size: tree.size(), root: tree.root() }, privateKey, publicKey)
    put(formatMetaLine({ version: 1, kind: 'checkpoint', note, leaves: toBytes(leaves).toString('base64') }))
  }
  return { log, sequence: 0, size: tree.size(), root: toBase64(tree.root()) }
}
