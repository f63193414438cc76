import type { KeyObject } from 'node:crypto'
import { basename, dirname } from 'node:path'
import type { Checkpoint } from '../format/checkpoint.ts'
import { groupExported, logOf } from '../log/exported.ts'
import { createKeyring } from '../log/keyring.ts'
import { findNotes } from '../log/log-notes.ts'
import { parseSegmentName } from '../log/segment.ts'
import type { SegmentFile } from '../log/segment-file.ts'
import type { Flaw } from '../log/tampering.ts'
import { parseBeside } from '../log/worker-logs.ts'
import { type Evidence, findEvidence } from './evidence.ts'
import { findFlaws } from './log-flaws.ts'
import { createLogSet, hostOf, isRemoved, isSigned, type LogSet, type ReadLog } from './log-set.ts'
import { openLogs } from './open-logs.ts'
import { type LogVerdict, verifyLog } from './verify-log.ts'

/** The inputs that logs are verified against. */
export type Trust = {
  /** Public keys of the logs. Without keys, the keys beside the logs are trusted. */
  readonly keys: readonly KeyObject[] | undefined
  /** Checkpoints that were kept elsewhere. */
  readonly exported: readonly Checkpoint[]
  /** The time that every unclosed log should reach; by default the end of the newest log. */
  readonly asOfMs?: number | undefined
  readonly nowMs?: () => number
}

/** A log in its directory, with its flaws and notes. */
export type VerifiedLog = {
  readonly log: string
  readonly directory: string
  readonly keys: readonly KeyObject[]
  readonly verdict: LogVerdict
  readonly flaws: readonly Flaw[]
  readonly notes: readonly string[]
}

/** All logs that were found, oldest first, and further problems. */
export type Verification = { readonly logs: readonly VerifiedLog[]; readonly problems: readonly string[] }

/** Verifies every log of the paths (directories or segment files), from the files and public keys alone. */
export async function verifyLogs(
  paths: readonly string[],
  trust: Trust,
  onBytes: (bytes: number) => void = () => {},
): Promise<Verification> {
  const nowMs = trust.nowMs ?? Date.now
  const evidence = await findEvidence(paths)
  const logs = await readLogs(segmentsOf(evidence), trust, onBytes)
  // A log that began after its directory was listed may be named already but not read yet.
  if (isAnyMissing(logs)) {
    const known = new Set(logs.map(({ log }) => log))
    const added = segmentsOf(await findEvidence(paths))
    const again = await readLogs(added, trust, () => {}, known)
    logs.push(...again)
  }
  const set = createLogSet(logs, { nowMs: nowMs(), asOfMs: trust.asOfMs })
  return {
    logs: set.logs.map((log) => ({
      log: log.log,
      directory: log.directory,
      keys: log.keys,
      verdict: log.verdict,
      flaws: findFlaws(log, set),
      notes: findNotes(log, set),
    })),
    problems: [...findStrays(evidence), ...findAuthorities(set), ...findUnexported(set, trust.exported)],
  }
}

async function readLogs(
  segments: readonly SegmentFile[],
  { keys, exported, nowMs = Date.now }: Trust,
  onBytes: (bytes: number) => void,
  known: ReadonlySet<string> = new Set(),
): Promise<ReadLog[]> {
  const read: ReadLog[] = []
  const exportedOf = groupExported(exported)
  for (const log of await openLogs(segments, createKeyring(keys))) {
    if (known.has(log.log)) continue
    const verdict = await verifyLog(log, exportedOf(log.log), onBytes)
    read.push({ ...log, verdict, readAtMs: nowMs() })
  }
  return read
}

function isAnyMissing(logs: readonly ReadLog[]): boolean {
  const known = new Set(logs.map(({ log }) => log))
  return logs.some(({ verdict }) => verdict.beside.some((path) => !known.has(parseBeside(path).name)))
}

/** A file with a segment's name is treated as one, wherever it is. */
function segmentsOf({ segments, loose }: Evidence): readonly SegmentFile[] {
  const unsigned = loose.flatMap((path) => {
    const [name, directory] = [parseSegmentName(basename(path)), dirname(path)]
    return name === undefined ? [] : [{ ...name, path, directory, root: directory, worker: undefined }]
  })
  return [...segments, ...unsigned]
}

function findStrays({ strays, loose, empty }: Evidence): readonly string[] {
  const others = loose.filter((path) => parseSegmentName(basename(path)) === undefined)
  return [
    ...strays.map(({ path, reason }) => `\`${path}\`: ${reason}`),
    ...others.map((path) => `\`${path}\`: it is no segment of a log, so nothing in it is signed`),
    ...empty.map((path) => `\`${path}\`: there is no segment of a log`),
  ]
}

/** One installation signs with one authority. Two authorities are one only if a log of one follows a log of the other. */
function findAuthorities(set: LogSet): readonly string[] {
  const groups: Set<string>[] = []
  for (const chain of new Set(set.logs.map(set.chainOf))) {
    const own = new Set(chain.filter(isSigned).flatMap(authorityOf))
    if (own.size === 0) continue
    const joined = groups.filter((group) => [...own].some((name) => group.has(name)))
    for (const group of joined) groups.splice(groups.indexOf(group), 1)
    groups.push(new Set([...own, ...joined.flatMap((group) => [...group])]))
  }
  const names = groups.map((group) => [...group].map((name) => `\`${name}\``).join(' and '))
  return groups.length < 2
    ? []
    : [`these are logs of several installations: ${names.join('; ')}; verify each by itself`]
}

function authorityOf({ log, verdict: { origin } }: ReadLog): readonly string[] {
  return origin === undefined ? [] : [origin.slice(0, -log.length - 1)]
}

/** Finds kept checkpoints whose log is missing, or that contradict each other. */
function findUnexported(set: LogSet, exported: readonly Checkpoint[]): readonly string[] {
  const origins = new Set(set.logs.map(({ verdict }) => verdict.origin))
  const problems = new Set<string>()
  const roots = new Map<string, string>()
  for (const origin of new Set(exported.map((kept) => kept.origin))) {
    if (!origins.has(origin) && !isRetired(set, origin)) {
      problems.add(
        `no log \`${origin}\`, though a checkpoint from elsewhere signed lines of it; if retention removed it, leave that checkpoint out`,
      )
    }
  }
  for (const { origin, size, root } of exported) {
    const place = `${size} lines of \`${origin}\``
    const other = roots.get(place)
    roots.set(place, root)
    if (other !== undefined && other !== root) {
      problems.add(
        `two checkpoints from elsewhere sign ${place}, and differ: there are two versions of that log`,
      )
    }
  }
  return [...problems]
}

/** True if the remaining logs show that retention removed a log completely. */
function isRetired(set: LogSet, origin: string): boolean {
  const name = logOf(origin)
  const after = set.logs.find(({ opening }) => opening?.follows?.log === name)
  if (after !== undefined) return isRemoved(set.chainOf(after), name)
  // If a machine or pod has several writers, the log cannot be assigned to one of them.
  const host = set.logs.filter(({ log }) => hostOf(log) === hostOf(name))
  const [first] = host
  const isOneWriter = first !== undefined && host.every((log) => set.chainOf(first).includes(log))
  return isOneWriter && isRemoved(host, name)
}
