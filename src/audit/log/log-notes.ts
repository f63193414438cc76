import { formatCount } from '../../base/text/count.ts'
import { isSigned, type LogSet, type ReadLog, retiredBy } from '../verify/log-set.ts'

/** Lists facts that are no flaws but matter to an auditor. */
export function findNotes(log: ReadLog, set: LogSet): readonly string[] {
  if (!isSigned(log))
    return log.verdict.records > 0 ? [] : ['it has no record: its process ended before it wrote one']
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
    `its process was killed: ${lastRecords(verdict.vouched)} ${verdict.vouched === 1 ? 'was' : 'were'} signed by the next one (\`${successors[0]?.log}\`) as it found ${verdict.vouched === 1 ? 'it' : 'them'}`,
  ]
}

function noteEnd({ verdict, successors }: ReadLog): readonly string[] {
  const { isEnded, unsealedRecords, tornBytes, opening } = verdict
  if (isEnded || successors.length > 0) return []
  const unsigned =
    unsealedRecords === 0
      ? []
      : [
          `${lastRecords(unsealedRecords)} ${unsealedRecords === 1 ? 'is' : 'are'} not signed yet: normal while its process runs, because it signs every few seconds; if it has ended, nothing proves ${unsealedRecords === 1 ? 'it' : 'them'}`,
        ]
  const torn =
    tornBytes === 0
      ? []
      : [
          `${formatCount(tornBytes, 'byte')} of an unfinished line are after its last line: normal if its process was killed or is writing; no command reads them`,
        ]
  const open =
    opening?.sealsEverySeconds === undefined
      ? 'it is of a version that did not sign when it closed a log: if its end was cut off, only a later log or `--checkpoint` can show it'
      : 'it was not closed: normal while its process runs, or if it was killed; if lines after its last checkpoint were cut off, only `--checkpoint` can show it'
  return [...unsigned, ...torn, open]
}

function lastRecords(number: number): string {
  return number === 1 ? 'its last record' : `its last ${number} records`
}
