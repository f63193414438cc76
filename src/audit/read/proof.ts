import type { KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from '../format/checkpoint.ts'
import { inclusionPath, rootOfPath } from '../format/inclusion.ts'
import { highWaterMark, splitLines } from '../format/lines.ts'
import { type Hash, leafHash, parseHash, toBase64 } from '../format/merkle.ts'
import { frontierOf, metaKindOf, parseMetaLine, type SegmentLine } from '../format/meta-line.ts'
import { parseRecord } from '../format/parse-record.ts'
import type { DecisionRecord } from '../format/record.ts'
import { expandRepeat, parseRepeat } from '../format/repeat.ts'
import { type ProofLevel, supersedes } from '../log/proof-level.ts'
import { bySegmentAge, formatLogName, parseSegmentName } from '../log/segment.ts'
import { readRecords } from './query.ts'

/** A proof that a line is in a log. A verifier needs only the log's public key. */
export type Proof = {
  /** The record's line without newline: the leaf. */
  readonly line: string
  /** The full record's line, if this line is a repeat. The repeat contains its hash. */
  readonly of: string | undefined
  readonly index: number
  readonly path: readonly Hash[]
  /** The signed checkpoint of a tree that contains the leaf. */
  readonly note: string
}

type Place = { readonly file: string; readonly line: number; readonly of?: Buffer | undefined }

const header = 'c2sp.org/tlog-proof@v1'

/**
 * Proves a decision's record by the first checkpoint after it. Of several records it takes the best proven, and of those
 * the last.
 */
export async function proveDecision(
  paths: readonly string[],
  decisionId: string,
  keys?: readonly KeyObject[],
): Promise<Proof | Invalid> {
  let place: Place | undefined
  let standing: ProofLevel | undefined
  for await (const line of readRecords(paths, { mentions: [decisionId], keys })) {
    if (line.kind !== 'record' || line.record.decisionId !== decisionId) continue
    if (!supersedes(line.standing, standing)) continue
    place = line
    standing = line.standing
  }
  return place === undefined
    ? invalid(`no record of decision \`${decisionId}\`; name every replica's log`)
    : proveLine(place)
}

/** Formats the proof as C2SP tlog-proof, with the record in `extra`. */
export function formatProof({ line, of, index, path, note }: Proof): string {
  const extra = Buffer.from(of === undefined ? line : `${line}\n${of}`).toString('base64')
  const hashes = path.map((hash) => `${toBase64(hash)}\n`).join('')
  return `${header}\nextra ${extra}\nindex ${index}\n${hashes}\n${note}`
}

/** Parses a proof of a record. */
export function parseProof(text: string): Proof | Invalid {
  const end = text.indexOf('\n\n')
  const [first, extra = '', indexed = '', ...hashes] = text.slice(0, Math.max(end, 0)).split('\n')
  const [, record] = /^extra ([A-Za-z0-9+/]+={0,2})$/.exec(extra) ?? []
  const [, index] = /^index (0|[1-9]\d{0,15})$/.exec(indexed) ?? []
  const path = hashes.flatMap((hash) => parseHash(hash) ?? [])
  const isPath = path.length < 64 && path.length === hashes.length
  if (first !== header || record === undefined || index === undefined || !isPath) {
    return invalid(`proof: expected \`${header}\` with \`extra\`, \`index\`, hashes and a checkpoint`)
  }
  const [line = '', of] = Buffer.from(record, 'base64').toString().split('\n', 2)
  return {
    line,
    of,
    index: Number(index),
    path,
    note: text.slice(end + 2),
  }
}

/** A proven record, and the checkpoint of a tree that contains it. */
export type Proven = { readonly record: DecisionRecord; readonly checkpoint: Checkpoint }

/** Verifies a proof, or explains why it proves nothing. */
export function verifyProof(proof: Proof, keys: readonly KeyObject[]): Proven | Invalid {
  const { line, index, path, note } = proof
  const checkpoint = verifyCheckpoint(note, keys)
  if (isInvalid(checkpoint)) return checkpoint
  const root = rootOfPath(leafHash(Buffer.from(line)), index, checkpoint.size, path)
  if (root !== checkpoint.root) {
    return invalid(`proof: the record is not line ${index} of the log that was signed`)
  }
  const record = toRecord(proof)
  return isInvalid(record) ? record : { record, checkpoint }
}

function toRecord({ line, of }: Proof): DecisionRecord | Invalid {
  if (of === undefined) return parseRecord(line)
  const repeat = parseRepeat(line)
  if (isInvalid(repeat)) return repeat
  if (toBase64(leafHash(Buffer.from(of))) !== repeat.leaf) {
    return invalid('proof: the record repeats another than the one beside it')
  }
  const whole = parseRecord(of)
  return isInvalid(whole) ? whole : expandRepeat(whole, repeat)
}

async function proveLine(place: Place): Promise<Proof | Invalid> {
  let begun: SegmentLine | undefined
  let proven: Pick<Proof, 'line' | 'of' | 'index'> | undefined
  const leaves: Hash[] = []
  for (const file of await segmentsFrom(place.file)) {
    for await (const lines of splitLines(file, createReadStream(file, { highWaterMark }))) {
      for (const { line, bytes, isEnded } of lines) {
        if (!isEnded) continue
        begun ??= toSegmentLine(bytes)
        if (begun === undefined) return invalid(`\`${file}\` was written before logs had trees`)
        const size = begun.size + leaves.length
        if (metaKindOf(bytes) === 'checkpoint' && proven !== undefined) {
          const note = noteOf(bytes, size)
          if (note !== undefined) {
            const known = { first: begun.size, frontier: frontierOf(begun) ?? [], leaves }
            return { ...proven, path: inclusionPath(known, proven.index), note }
          }
        }
        if (file === place.file && line === place.line) {
          proven = { line: bytes.toString(), of: place.of?.toString(), index: size }
        }
        leaves.push(leafHash(bytes))
      }
    }
  }
  return invalid('no checkpoint covers the record yet: one follows within seconds while its writer lives')
}

/** Returns this file and the later segments of its log. */
async function segmentsFrom(file: string): Promise<readonly string[]> {
  const own = parseSegmentName(basename(file))
  if (own === undefined) return [file]
  const directory = dirname(file)
  const names = (await readdir(directory)).flatMap((name) => {
    const segment = parseSegmentName(name)
    const isLater =
      segment && formatLogName(segment) === formatLogName(own) && segment.sequence >= own.sequence
    return isLater ? [{ ...segment, path: join(directory, name) }] : []
  })
  return names.sort(bySegmentAge).map(({ path }) => path)
}

function toSegmentLine(bytes: Buffer): SegmentLine | undefined {
  const meta = parseMetaLine(bytes)
  return !isInvalid(meta) && meta.kind === 'segment' && frontierOf(meta) !== undefined ? meta : undefined
}

function noteOf(bytes: Buffer, size: number): string | undefined {
  const meta = parseMetaLine(bytes)
  if (isInvalid(meta) || meta.kind !== 'checkpoint') return undefined
  const checkpoint = parseCheckpoint(meta.note)
  return !isInvalid(checkpoint) && checkpoint.size === size ? meta.note : undefined
}
