import type { Problem } from '../../base/document/problem.ts'
import { policyLimits, refuseSize } from './directory-source.ts'
import { type Git, isGitFailure } from './git-process.ts'
import { shorten } from './git-repository.ts'
import type { PolicyFiles } from './policy-files.ts'
import { findUnread, isBookkeeping, isPassedOver, purposeOf, refuseFolder } from './policy-names.ts'
import { failed, refused, type Unusable } from './policy-source.ts'

type TreeFiles = Omit<PolicyFiles, 'id'>
type Entry = { readonly path: string; readonly mode: string; readonly oid: string; readonly size: number }

const maxEntries = 100_000
const maxTotalBytes = 64 * 1024 * 1024
const kinds: ReadonlyMap<string, string> = new Map([
  ['120000', 'a symbolic link; put the thing itself there'],
  ['160000', 'a submodule; its files must lie in the policy repository itself'],
])

/**
 * Reads a commit's policy files and tests from the object store. No work tree is written, so no link, file mode or name
 * of the repository reaches this machine's file system.
 */
export async function readGitTree(git: Git, commit: string, path: string): Promise<TreeFiles | Unusable> {
  const within = path === '' ? [] : ['--', `:(literal)${path}/`]
  const listing = await git({ args: ['ls-tree', '-r', '-z', '-l', '--full-tree', commit, ...within] })
  if (isGitFailure(listing)) return broken(commit, listing.message)
  const all = parseListing(listing)
  // Git has read the commit's trees, so this is no fault: the folder does not exist.
  if (path !== '' && all.length === 0) return refused(path, `${shorten(commit)} has no such folder`)
  const relative =
    path === '' ? all : all.map((entry) => ({ ...entry, path: entry.path.slice(path.length + 1) }))
  const named = relative.filter((entry) => !isBookkeeping(entry.path, false))
  const entries = named.filter((entry) => !isPassedOver(entry.path))
  if (entries.length > maxEntries)
    return refused('.', `expected at most ${maxEntries} files, found ${entries.length}`)
  const wanted = entries.filter((entry) => purposeOf(entry.path) !== undefined && !kinds.has(entry.mode))
  const problems = [
    ...entries.flatMap(refuseKind),
    ...foldersOf(entries).flatMap((folder) => refuseFolder(folder) ?? []),
    ...refuseSizes(wanted),
    ...wanted.flatMap(refuseName),
    ...findUnread(named.map(({ path }) => path)),
  ]
  return problems.length > 0 ? { kind: 'refused', problems } : readBlobs(git, commit, wanted)
}

function parseListing(listing: Buffer): readonly Entry[] {
  const lines = listing.toString('utf8').split('\0').slice(0, -1)
  return lines.map((line) => {
    const [, mode = '', oid = '', size = '', path = ''] =
      /^(\d{6}) \w+ ([0-9a-f]+) +(\d+|-)\t(.*)$/su.exec(line) ?? []
    return { path, mode, oid, size: Number(size) }
  })
}

/** Returns every folder that contains an entry, at any depth. */
function foldersOf(entries: readonly Entry[]): readonly string[] {
  const folders = new Set<string>()
  for (const { path } of entries)
    for (let end = path.lastIndexOf('/'); end !== -1; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end)
      if (folders.has(folder)) break
      folders.add(folder)
    }
  return [...folders]
}

/** Never skipped silently, because it may contain a `forbid`. */
function refuseKind({ path, mode }: Entry): readonly Problem[] {
  const kind = kinds.get(mode)
  return kind === undefined ? [] : [{ file: path, message: `expected a file, found ${kind}` }]
}

function refuseName({ path }: Entry): readonly Problem[] {
  // U+FFFD replaces parts of the name that were not UTF-8.
  return /[\p{Cc}\ufffd]/u.test(path)
    ? [{ file: JSON.stringify(path), message: 'expected a name of printable UTF-8' }]
    : []
}

function refuseSizes(wanted: readonly Entry[]): readonly Problem[] {
  const total = wanted.reduce((sum, { size }) => sum + size, 0)
  const large = wanted.flatMap(({ path, size }) => refuseSize(path, size) ?? [])
  if (large.length > 0) return large
  if (wanted.length > policyLimits.files)
    return [{ file: '.', message: `expected at most ${policyLimits.files} files, found ${wanted.length}` }]
  if (total > maxTotalBytes)
    return [{ file: '.', message: `expected at most ${maxTotalBytes} bytes in all, found ${total}` }]
  return []
}

async function readBlobs(git: Git, commit: string, wanted: readonly Entry[]): Promise<TreeFiles | Unusable> {
  const output = await git({
    args: ['cat-file', '--batch'],
    input: wanted.map(({ oid }) => `${oid}\n`).join(''),
  })
  if (isGitFailure(output)) return broken(commit, output.message)
  const found = { policy: new Map<string, string>(), test: new Map<string, string>() }
  const problems: Problem[] = []
  let offset = 0
  for (const { path, oid, size } of wanted) {
    const header = `${oid} blob ${size}\n`
    const start = offset + header.length
    if (output.toString('latin1', offset, start) !== header) {
      // Git reports missing objects and unreadable ones in the same way.
      return failed(path, `the local copy of ${shorten(commit)} lacks its content`)
    }
    const text = decode(output.subarray(start, start + size))
    if (text === undefined) problems.push({ file: path, message: 'expected UTF-8 text' })
    else if (text.startsWith('version https://git-lfs.github.com/spec/'))
      problems.push({ file: path, message: 'expected a policy, found a pointer to Git LFS' })
    else found[purposeOf(path) ?? 'policy'].set(path, text)
    offset = start + size + 1
  }
  return problems.length > 0 ? { kind: 'refused', problems } : { files: found.policy, tests: found.test }
}

function broken(commit: string, message: string): Unusable {
  return failed('.', `the local copy of ${shorten(commit)} cannot be read: ${message}`)
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
