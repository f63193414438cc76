import type { Dirent } from 'node:fs'
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { privateKeyFile, publicKeyFile } from '../log/log-key.ts'
import { parseSegmentName } from '../log/segment.ts'
import { describe, readHeader, type SegmentFile } from '../log/segment-file.ts'
import { maxWorkers, parseWorkerFolder } from '../log/worker-logs.ts'

/** The files below the paths of a command. */
export type Evidence = {
  /** Segment files of logs. Their content counts as far as it is signed. */
  readonly segments: readonly SegmentFile[]
  /** Files of no log, such as an export, and `-`. Their content is unproven. */
  readonly loose: readonly string[]
  /** Paths without either. */
  readonly empty: readonly string[]
  /** Files among logs that look like evidence and are none, and files that cannot be read. No command reads them. */
  readonly strays: readonly Stray[]
}

/** A file or folder that is not read, with the reason. */
export type Stray = { readonly path: string; readonly reason: string }

type Found = { -readonly [key in keyof Evidence]: Evidence[key][number][] }

/** The real paths of the found segments, and how many were found twice. */
type Seen = { readonly keys: Set<string>; hits: number }

/** A directory of an audit log: the given path and the real path. */
type Place = {
  readonly path: string
  readonly real: string
  readonly root: string
  readonly worker: number | undefined
}

const stdin = '-'
const extension = '.ndjson'

/** Searches directories, files and standard input (`-`). A file that is named twice is found once. */
export async function findEvidence(paths: readonly string[]): Promise<Evidence> {
  const found: Found = { segments: [], loose: [], empty: [], strays: [] }
  const seen: Seen = { keys: new Set(), hits: 0 }
  for (const path of paths) {
    const before = seen.hits
    try {
      if (path === stdin) addLoose(path, found, seen)
      else if ((await stat(path)).isDirectory()) await findInDirectory(path, found, seen)
      else await findFile(path, found, seen)
      if (seen.hits === before) found.empty.push(path)
    } catch (cause) {
      found.strays.push({ path, reason: describe(cause) })
    }
  }
  return found
}

async function findInDirectory(path: string, found: Found, seen: Seen): Promise<void> {
  const place = await placeOf(path)
  const entries = await list(path)
  if (!(await isOfLog(place, entries))) {
    const files = entries.filter(({ name }) => name.endsWith(extension))
    for (const { name } of files) await findLoose(join(path, name), found, seen)
    return
  }
  addSegments(place, entries, found, seen)
  if (place.worker !== undefined) return
  for (const { name } of entries.filter((entry) => /^worker-\d/.test(entry.name))) {
    const reason = await findInFolder(place, name, found, seen).catch(describe)
    if (reason !== undefined) found.strays.push({ path: join(path, name), reason })
  }
}

/** Searches a worker's folder; returns the reason if it is not one. */
async function findInFolder(
  { path, real }: Place,
  name: string,
  found: Found,
  seen: Seen,
): Promise<string | undefined> {
  const worker = parseWorkerFolder(name)
  if (worker === undefined) return `a worker’s folder is named \`worker-1\` to \`worker-${maxWorkers}\``
  const folder = join(path, name)
  if (!(await stat(folder)).isDirectory()) return 'it has the name of a worker’s folder and is none'
  addSegments({ path: folder, real: join(real, name), root: path, worker }, await list(folder), found, seen)
  return undefined
}

async function findFile(path: string, found: Found, seen: Seen): Promise<void> {
  const directory = dirname(path)
  const place = await placeOf(directory)
  const [name, header] = [parseSegmentName(basename(path)), await readHeader(path)]
  const isSegment = name !== undefined && header !== undefined
  const isOfLogs = await isOfLog(place, await list(directory))
  if (!isSegment && !isOfLogs) addLoose(path, found, seen)
  else if (name === undefined) found.strays.push({ path, reason: noSegment })
  else if ((await lstat(path)).isSymbolicLink()) found.strays.push({ path, reason: isLink })
  else addOnce({ ...name, path, directory, root: place.root, worker: place.worker }, place, found, seen)
}

const noSegment =
  'it is no segment of the logs here, so no command reads it; to read it at its word, move it to another directory'
const isLink = 'it is a symbolic link, and a log has none; name the directory in which the file is'

function addSegments(place: Place, entries: readonly Dirent[], found: Found, seen: Seen): void {
  for (const entry of entries) {
    if (!entry.name.endsWith(extension)) continue
    const path = join(place.path, entry.name)
    const name = parseSegmentName(entry.name)
    if (entry.isSymbolicLink()) found.strays.push({ path, reason: isLink })
    else if (!entry.isFile()) found.strays.push({ path, reason: 'it has a log’s name and is no file' })
    else if (name === undefined) found.strays.push({ path, reason: noSegment })
    else {
      const { path: directory, root, worker } = place
      addOnce({ ...name, path, directory, root, worker }, place, found, seen)
    }
  }
}

function addOnce(file: SegmentFile, { real }: Place, found: Found, seen: Seen): void {
  const key = join(real, basename(file.path))
  if (!seen.keys.has(key)) found.segments.push(file)
  seen.keys.add(key)
  seen.hits++
}

async function findLoose(path: string, found: Found, seen: Seen): Promise<void> {
  const reason = await stat(path).then((stats) => (stats.isFile() ? undefined : 'it is no file'), describe)
  if (reason === undefined) addLoose(path, found, seen)
  else found.strays.push({ path, reason })
}

function addLoose(path: string, found: Found, seen: Seen): void {
  found.loose.push(path)
  seen.hits++
}

/** True if the directory holds logs. Then only signed content counts. Other directories hold nothing signed. */
async function isOfLog({ path, worker }: Place, entries: readonly Dirent[]): Promise<boolean> {
  const isNamed = entries.some(
    ({ name }) => name === publicKeyFile || name === privateKeyFile || parseWorkerFolder(name) !== undefined,
  )
  if (isNamed || worker !== undefined) return true
  for (const entry of entries) {
    if (!entry.isFile() || parseSegmentName(entry.name) === undefined) continue
    if ((await readHeader(join(path, entry.name))) !== undefined) return true
  }
  return false
}

/** A folder such as `worker-2` is a worker's if its parent has keys or other workers' folders. */
async function placeOf(path: string): Promise<Place> {
  const real = await realpath(path)
  const worker = parseWorkerFolder(basename(real))
  if (worker !== undefined) {
    const root = join(path, '..')
    const beside = await list(root).catch(() => [])
    const isWorker = beside.some(({ name }) => name === publicKeyFile || name === privateKeyFile)
    if (isWorker) return { path, real, root, worker }
  }
  return { path, real, root: path, worker: undefined }
}

async function list(directory: string): Promise<readonly Dirent[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  return entries.sort((one, other) => (one.name < other.name ? -1 : 1))
}
