import type { Invalid } from '../../base/model/invalid.ts'
import { leafHash, toBase64 } from './merkle.ts'
import { parseRecord } from './parse-record.ts'
import type { DecisionRecord } from './record.ts'

/** A line to which others may refer. */
export type WholeLine = {
  readonly bytes: Buffer
  /** What is looked for and does not stand in that part of it which is also said of those that refer to it. */
  readonly unmentioned: readonly Buffer[]
  /** Its hash, base64, and what it says; found out when first asked. */
  readonly leaf: () => string
  readonly record: () => DecisionRecord | Invalid
}

const constantStart = Buffer.from(',"outcome":')

/** Keeps a line. Its bytes are copied, for they are part of a chunk that would stay with them. */
export function createWholeLine(line: Buffer, needles: readonly Buffer[]): WholeLine {
  const bytes = Buffer.from(line)
  const constantAt = bytes.indexOf(constantStart)
  let leaf: string | undefined
  let record: DecisionRecord | Invalid | undefined
  return {
    bytes,
    unmentioned: needles.filter((needle) => !bytes.includes(needle, constantAt)),
    leaf() {
      leaf ??= toBase64(leafHash(bytes))
      return leaf
    },
    record() {
      record ??= parseRecord(bytes.toString())
      return record
    },
  }
}
