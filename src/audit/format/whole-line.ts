import type { Invalid } from '../../base/model/invalid.ts'
import { leafHash, toBase64 } from './merkle.ts'
import { parseRecord } from './parse-record.ts'
import type { DecisionRecord } from './record.ts'

/** A line that repeats can refer to. */
export type WholeLine = {
  readonly bytes: Buffer
  /** The wanted texts that are not in the part of the line that its repeats share. */
  readonly unmentioned: readonly Buffer[]
  /** Its leaf hash (base64) and its parsed record; both are computed on first use. */
  readonly leaf: () => string
  readonly record: () => DecisionRecord | Invalid
}

const constantStart = Buffer.from(',"outcome":')

/** Holds a line. The bytes are copied, because a view would keep its whole chunk in memory. */
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
