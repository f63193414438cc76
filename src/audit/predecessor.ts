import { createHash } from 'node:crypto'
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { isInvalid } from '../model/invalid.ts'
import { type FoundLog, frontierOf, parseMark } from './mark.ts'
import { createTree, leafHash, type Tree, toBase64 } from './merkle.ts'
import {
  bySegmentAge,
  formatLogName,
  formatSegmentName,
  parseSegmentName,
  type SegmentName,
} from './segment.ts'

/** The last log of a directory and when it began: its successor begins later, whatever the clock says. */
export type Predecessor = { readonly epochMs: number; readonly found: FoundLog | undefined }

type Scan = { readonly tree: Tree | undefined; readonly rest: Buffer }

const chunkBytes = 1 << 20
const newline = 0x0a

/**
 * Looks at how the last log of the directory ended. What it says enters the new log's first line, and so its tree: a
 * tail that a killed process left unsealed is sealed by its successor, and one that is torn is said to be.
 */
export function findPredecessor(directory: string): Predecessor | undefined {
  const names = readdirSync(directory)
    .flatMap((file) => parseSegmentName(file) ?? [])
    .sort(bySegmentAge)
  const last = names.at(-1)
  if (last === undefined) return undefined
  const log = formatLogName(last)
  const segments = names.filter((name) => formatLogName(name) === log).toReversed()
  for (const segment of segments) {
    const found = toFound(segment, scan(join(directory, formatSegmentName(segment))))
    if (found !== undefined) return { epochMs: last.epochMs, found }
  }
  // Written before logs had trees, or killed before its first line.
  return { epochMs: last.epochMs, found: undefined }
}

function toFound(segment: SegmentName, { tree, rest }: Scan): FoundLog | undefined {
  if (tree === undefined) return undefined
  return {
    log: formatLogName(segment),
    sequence: segment.sequence,
    size: tree.size(),
    root: toBase64(tree.root()),
    torn:
      rest.length === 0
        ? undefined
        : { bytes: rest.length, sha256: createHash('sha256').update(rest).digest('hex') },
  }
}

/** The tree over a segment's whole lines and those of its log before it, and what follows its last newline. */
function scan(path: string): Scan {
  const fd = openSync(path, 'r')
  try {
    const chunk = Buffer.alloc(chunkBytes)
    let rest = Buffer.alloc(0)
    let tree: Tree | undefined
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk)) {
      const bytes = Buffer.concat([rest, chunk.subarray(0, read)])
      let start = 0
      for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
        const line = bytes.subarray(start, end)
        tree ??= begin(line)
        if (tree === undefined) return { tree, rest: Buffer.alloc(0) }
        if (line.length > 0) tree.add(leafHash(line))
        start = end + 1
      }
      rest = Buffer.from(bytes.subarray(start))
    }
    return { tree, rest }
  } finally {
    closeSync(fd)
  }
}

function begin(line: Buffer): Tree | undefined {
  const mark = parseMark(line)
  if (isInvalid(mark) || mark.kind !== 'segment') return undefined
  const frontier = frontierOf(mark)
  return frontier && createTree(mark.size, frontier)
}
