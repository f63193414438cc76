import type { MetaLine } from '../format/meta-line.ts'
import { frameMetaLine } from './sealed-log.ts'

/** Meta lines that are written before the next line. */
export type PendingLines = {
  readonly add: (meta: MetaLine) => void
  /** Counts a denial that was answered and could not be recorded. */
  readonly countDenial: () => void
  readonly toLines: () => readonly Buffer[]
  readonly clear: () => void
}

/** Starts empty. */
export function createPendingLines(nowMs: () => number): PendingLines {
  const now = (): string => new Date(nowMs()).toISOString()
  let metaLines: Buffer[] = []
  let unrecorded = { since: '', denials: 0 }
  return {
    add: (meta) => void metaLines.push(frameMetaLine(meta)),
    countDenial() {
      const { since, denials } = unrecorded
      unrecorded = { since: denials === 0 ? now() : since, denials: denials + 1 }
    },
    toLines() {
      if (unrecorded.denials === 0) return metaLines
      return [...metaLines, frameMetaLine({ version: 1, kind: 'unrecorded', until: now(), ...unrecorded })]
    },
    clear() {
      metaLines = []
      unrecorded = { since: '', denials: 0 }
    },
  }
}
