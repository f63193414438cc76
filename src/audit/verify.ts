import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { toBase64 } from './merkle.ts'
import { bySegmentAge, formatLogName, parseSegmentName, type SegmentName } from './segment.ts'
import { verifyLog } from './verify-log.ts'
import type { Flaw, LogVerdict, Lost, SegmentFile, Trust } from './verify-progress.ts'
import { logsOf } from './worker-logs.ts'

/** A log in its directory, and all that is wrong with it. */
export type VerifiedLog = {
  readonly log: string
  readonly directory: string
  readonly verdict: LogVerdict
  readonly flaws: readonly Flaw[]
}

/** All logs that were found, oldest first, and what concerns none of them. */
export type Verification = { readonly logs: readonly VerifiedLog[]; readonly problems: readonly string[] }

type Found = SegmentName & { readonly path: string }
type Log = {
  readonly log: string
  readonly directory: string
  readonly epochMs: number
  readonly segments: readonly SegmentFile[]
}

/** Verifies every log of the paths (directories or segment files) by nothing but the files and public keys. */
export async function verifyLogs(
  paths: readonly string[],
  trust: Trust,
  onBytes: (bytes: number) => void = () => {},
): Promise<Verification> {
  const problems: string[] = []
  const logs: (Log & { readonly verdict: LogVerdict })[] = []
  for (const log of toLogs(await findSegments(paths, problems))) {
    logs.push({ ...log, verdict: await verifyLog(log.log, log.segments, trust, onBytes) })
  }
  const origins = new Set(logs.map(({ verdict }) => verdict.origin))
  for (const { origin, size } of trust.exported) {
    if (!origins.has(origin) && !isRetired(logs, origin))
      problems.push(`no log \`${origin}\`, though it had ${size} lines`)
  }
  return {
    logs: logs.map((log) => ({
      log: log.log,
      directory: log.directory,
      verdict: log.verdict,
      flaws: log.verdict.flaw === undefined ? toFlaws(log, logs, trust) : [log.verdict.flaw],
    })),
    problems,
  }
}

async function findSegments(paths: readonly string[], problems: string[]): Promise<readonly Found[]> {
  const found: Found[] = []
  for (const path of paths) {
    try {
      const files = (await Promise.all((await logsOf(path)).map(filesOf))).flat()
      const segments = files.flatMap((file) => {
        const name = parseSegmentName(basename(file))
        return name === undefined ? [] : [{ ...name, path: file }]
      })
      if (segments.length === 0) problems.push(`\`${path}\`: no segment of a log`)
      found.push(...segments)
    } catch (cause) {
      problems.push(`\`${path}\`: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
  }
  return found.sort(bySegmentAge)
}

async function filesOf(path: string): Promise<readonly string[]> {
  const isDirectory = (await stat(path)).isDirectory()
  return isDirectory ? (await readdir(path)).map((name) => join(path, name)) : [path]
}

function toLogs(found: readonly Found[]): readonly Log[] {
  const logs = new Map<string, Log & { readonly segments: SegmentFile[] }>()
  for (const { path, ...name } of found) {
    const [log, directory] = [formatLogName(name), dirname(path)]
    const key = join(directory, log)
    const known = logs.get(key) ?? { log, directory, epochMs: name.epochMs, segments: [] }
    known.segments.push({ path, sequence: name.sequence })
    logs.set(key, known)
  }
  return [...logs.values()]
}

/** What shows only beside other logs, or beside what was kept elsewhere: that something is missing. */
function toFlaws(
  log: Log & { readonly verdict: LogVerdict },
  logs: readonly (Log & { readonly verdict: LogVerdict })[],
  { exported }: Trust,
): readonly Flaw[] {
  const { verdict, directory } = log
  const beside = logs.filter((other) => other.directory === directory)
  const flaws: string[] = []
  const [first] = log.segments
  if (verdict.beginsAt > 0 && first !== undefined && !isThrough(beside, log.epochMs, first.sequence - 1)) {
    flaws.push(`begins at line ${verdict.beginsAt}: what stood before was not removed by retention`)
  }
  for (const { verdict: later } of beside) {
    if (later.follows?.log !== log.log) continue
    const { size, root } = later.follows
    if (size > verdict.size) flaws.push(`was cut: it ended with ${size} lines, ${verdict.size} are left`)
    else if (size < verdict.size) flaws.push(`was written to after its end: it had ${size} lines`)
    else if (toBase64(verdict.root) !== root) flaws.push('is not what the log after it found')
  }
  const follows = verdict.follows
  if (follows !== undefined && beside.every((other) => other.log !== follows.log)) {
    const epochMs = epochOf(follows.log)
    if (!isThrough(beside, epochMs, follows.sequence)) {
      flaws.push(`follows \`${follows.log}\`, which is missing with its ${follows.size} lines`)
    }
  }
  for (const { origin, size } of exported) {
    if (origin === verdict.origin && size > verdict.size) {
      flaws.push(`was cut: an exported checkpoint signed ${size} lines, ${verdict.size} are left`)
    }
  }
  const file = log.segments.at(-1)?.path ?? directory
  const whole = flaws.map((message) => ({ file, line: 0, index: verdict.size, message }))
  return verdict.lost === undefined ? whole : [toFlaw(verdict.lost), ...whole]
}

/** Nobody changed anything, and yet it is no evidence of what was decided. */
function toFlaw({ count, first }: Lost): Flaw {
  const others = count === 1 ? '' : `, and so it is with ${count - 1} after it`
  const message = `cannot be read: it repeats a record that is not where readers look, before it in its segment${others}`
  return { ...first, isSigned: true, message }
}

/** Whether retention, by its own word in what is left, removed everything up to there. */
function isThrough(
  logs: readonly { readonly verdict: LogVerdict }[],
  epochMs: number,
  sequence: number,
): boolean {
  return logs
    .flatMap(({ verdict }) => verdict.retired)
    .some(
      ({ through }) =>
        through.epochMs > epochMs || (through.epochMs === epochMs && through.sequence >= sequence),
    )
}

function isRetired(logs: readonly { readonly verdict: LogVerdict }[], origin: string): boolean {
  // Whoever came after it says which segment was its last; without that, only what is younger may have been removed.
  const last = logs
    .flatMap(({ verdict }) => verdict.follows ?? [])
    .find(({ log }) => origin.endsWith(`/${log}`))
  return isThrough(logs, epochOf(origin), last?.sequence ?? Number.MAX_SAFE_INTEGER)
}

function epochOf(log: string): number {
  return Number(/-(\d+)$/.exec(log)?.[1] ?? Number.NaN)
}
