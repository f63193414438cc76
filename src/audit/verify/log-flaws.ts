import type { Flaw } from '../log/tampering.ts'
import { parseBeside } from '../log/worker-logs.ts'
import { isRemoved, isSigned, isThrough, type LogSet, type ReadLog } from './log-set.ts'
import type { Lost } from './verify-log.ts'

/** The maximum time from creating a log to signing it. */
const startMs = 15_000
/** Allows for clock differences between replicas and for slow disks. */
const toleranceMs = 4 * 60_000
/** A checkpoint follows records within seconds, so unsigned records cannot be much later than the last signed ones. */
const unsignedMs = 60_000

/** Finds all flaws of a log: in itself, compared with other logs, and of its location. */
export function findFlaws(log: ReadLog, set: LogSet): readonly Flaw[] {
  const { verdict, keyProblem, segments, directory } = log
  const file = segments.at(-1)?.path ?? directory
  const toFlaw = (message: string): Flaw => ({ file, line: 0, index: verdict.size, message })
  if (keyProblem !== undefined) return [toFlaw(`cannot be verified: ${keyProblem}`)]
  const own = verdict.flaw === undefined ? findMissing(log, set).map(toFlaw) : [verdict.flaw]
  const lost = verdict.lost === undefined || verdict.flaw !== undefined ? [] : [toLost(verdict.lost)]
  const others = [...findBeside(log, set), ...findForks(log)]
  return [...lost, ...own, ...others.map(toFlaw), ...findMisplaced(log)]
}

/** Nothing was changed, but the decision cannot be reconstructed. */
function toLost({ count, first }: Lost): Flaw {
  const others = count === 1 ? '' : `, and so it is with ${count - 1} after it`
  const message = `cannot be read: it repeats a record that is not where readers look, before it in its segment${others}`
  return { ...first, isSigned: true, message }
}

/** Finds missing logs, by comparing logs and by their signed statements about each other. */
function findMissing(log: ReadLog, set: LogSet): readonly string[] {
  if (!isSigned(log)) return findUnsigned(log, set)
  return [...findBefore(log, set), ...findEnd(log, set)]
}

function findUnsigned(log: ReadLog, { logs, nowMs }: LogSet): readonly string[] {
  const { verdict, directory, epochMs } = log
  if (verdict.records > 0) {
    return [
      `is signed by nobody, so no command reads its ${verdict.records} records: somebody else put it there, or its process was killed before it could sign once`,
    ]
  }
  const isFollowed = logs.some((later) => {
    return later.directory === directory && later.epochMs > epochMs && isSigned(later)
  })
  if (isFollowed || Math.abs(nowMs - epochMs) < startMs) return []
  return ['has no record and no checkpoint: its process could write nothing, or its lines were removed']
}

function findBefore(log: ReadLog, set: LogSet): readonly string[] {
  const { verdict, opening, segments, epochMs } = log
  const chain = set.chainOf(log)
  const flaws: string[] = []
  const [first] = segments
  if (verdict.beginsAt > 0 && first !== undefined && !isThrough(chain, epochMs, first.sequence - 1)) {
    flaws.push(`begins at line ${verdict.beginsAt}: retention did not remove what stood before`)
  }
  const follows = opening?.follows
  if (follows !== undefined && !set.byName.has(follows.log)) {
    if (!isRemoved(chain, follows.log)) {
      flaws.push(`follows \`${follows.log}\`, which is missing with its ${follows.size} lines`)
    }
  }
  return flaws
}

/**
 * Logs in other folders that this log names must exist, unless later logs of that folder record their removal by
 * retention.
 */
function findBeside({ verdict }: ReadLog, set: LogSet): readonly string[] {
  return verdict.beside.flatMap((path) => {
    const { name, worker } = parseBeside(path)
    if (set.byName.has(name)) return []
    const sameFolder = set.logs.filter(({ verdict: { opening } }) => opening?.worker === worker)
    return isRemoved(sameFolder, name) ? [] : [`names the log \`${path}\` beside it, which is missing`]
  })
}

/** A log without a successor was closed by its writer, or its writer still signs. */
function findEnd(log: ReadLog, set: LogSet): readonly string[] {
  const { verdict, successors, readAtMs } = log
  const seconds = verdict.opening?.sealsEverySeconds
  if (verdict.isEnded || successors.length > 0 || seconds === undefined) return []
  const wantedMs = set.asOfMs ?? Math.min(set.newestMs, readAtMs)
  const end = `was last signed at ${toIso(verdict.signedAtMs)}`
  if (verdict.signedAtMs + seconds * 1000 + toleranceMs < wantedMs) {
    const what = set.asOfMs === undefined ? 'the newest log here goes on until' : 'should reach'
    return [
      `${end} and was not closed, and ${what} ${toIso(wantedMs)}: its process was killed then, or its end was cut off; if it was killed, verify with \`--as-of ${toIso(verdict.signedAtMs)}\``,
    ]
  }
  if (verdict.unsealedAtMs <= verdict.signedAtMs + seconds * 1000 + unsignedMs) return []
  return [
    `${end}, and nobody signed the ${verdict.unsealed} lines behind that, which say to be from ${toIso(verdict.unsealedAtMs)}: its process signs every ${seconds} seconds`,
  ]
}

/** Finds files in the wrong place. */
function findMisplaced({ verdict, copies, worker, segments, directory }: ReadLog): readonly Flaw[] {
  const flaws = copies.map(({ path, sequence }) => {
    const first = segments.find((segment) => segment.sequence === sequence)?.path ?? directory
    const message = `is a copy: segment ${sequence} of this log is \`${first}\``
    return { file: path, line: 0, index: 0, message }
  })
  const { opening } = verdict
  // Logs without that promise are from before logs named their worker.
  if (worker === undefined || opening?.sealsEverySeconds === undefined || opening.worker === worker)
    return flaws
  const writer = opening.worker === undefined ? 'no worker' : `worker ${opening.worker}`
  const message = `lies in the folder of worker ${worker} and was written by ${writer}: the folder was copied or renamed`
  return [...flaws, { file: segments[0]?.path ?? directory, line: 0, index: 0, message }]
}

function findForks({ successors }: ReadLog): readonly string[] {
  const [one, other] = successors
  return one === undefined || other === undefined
    ? []
    : [
        `is followed by two logs, \`${one.log}\` and \`${other.log}\`: one of them went on from an old copy of the directory`,
      ]
}

function toIso(ms: number): string {
  return new Date(ms).toISOString()
}
