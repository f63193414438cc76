import { formatCount } from '../model/count.ts'
import { isSigned, type LogSet, type ReadLog, retiredBy } from './log-set.ts'

/** What is no flaw, and an auditor should know all the same. */
export function findNotes(log: ReadLog, set: LogSet): readonly string[] {
  if (!isSigned(log)) return log.verdict.records > 0 ? [] : ['it has no record, and nobody signed it']
  return [...noteBeginning(log, set), ...noteVouched(log), ...noteEnd(log)]
}

function noteBeginning(log: ReadLog, set: LogSet): readonly string[] {
  const { opening, verdict } = log
  const isCut =
    verdict.beginsAt > 0 || (opening?.follows !== undefined && !set.byName.has(opening.follows.log))
  if (!isCut) return []
  const last = retiredBy(set.chainOf(log)).at(-1)
  return [
    `retention removed what was written before ${verdict.opening?.time}${last === undefined ? '' : `, last at ${last.time}`}`,
  ]
}

function noteVouched({ verdict, successors }: ReadLog): readonly string[] {
  if (verdict.vouched === 0) return []
  return [
    `its process was killed: its last ${formatCount(verdict.vouched, 'record')} ${verdict.vouched === 1 ? 'was' : 'were'} signed by the process after it (\`${successors[0]?.log}\`), as that found them`,
  ]
}

function noteEnd({ verdict, successors }: ReadLog): readonly string[] {
  const { isEnded, unsealedRecords, tornBytes, opening } = verdict
  if (isEnded || successors.length > 0) return []
  const unsigned =
    unsealedRecords === 0
      ? []
      : [
          `its last ${formatCount(unsealedRecords, 'record')} ${unsealedRecords === 1 ? 'is' : 'are'} not signed yet, which is right while its process runs, and for seconds; until then who can write the file can change them`,
        ]
  const torn =
    tornBytes === 0
      ? []
      : [
          `behind its last line stand ${formatCount(tornBytes, 'byte')} of a line that was not finished; they are no record`,
        ]
  const open =
    opening?.sealsEverySeconds === undefined
      ? 'it was written by a version that did not say when it closed a log: whether its end was cut off, only a later log or `--checkpoint` can show'
      : 'its process runs, or was killed: what it wrote after its last checkpoint, if it was cut off, only `--checkpoint` can show'
  return [...unsigned, ...torn, open]
}
