import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { createGit, type Git, type GitAccess, isGitFailure } from './git-process.ts'
import {
  type Advertised,
  askRemote,
  commitOf,
  fetchRemote,
  type GitOrigin,
  isInHistory,
  localRefs,
  openGitRepository,
  refuseSignature,
  setRefs,
} from './git-repository.ts'
import { readGitTree, shorten } from './git-tree.ts'
import type { Found, PolicySource, Refused } from './policy-source.ts'
import type { Problem } from './problem.ts'

/** A policy repository in Git, and how it is followed. */
export type GitSourceOptions = GitAccess &
  GitOrigin & {
    /** The folder with services.yaml; empty for the root. */
    readonly path: string
    /** Where the local copy lies: the last good revision, for a start without network. One process, one directory. */
    readonly directory: string
    readonly intervalMs: number
    readonly timeoutMs: number
    readonly maxBytes: number
    /** What to do when the followed ref no longer contains what it once was. */
    readonly rewrites: 'refuse' | 'follow'
  }

const stateSchema = v.object({ version: v.literal(1), origin: v.string(), confirmedAtMs: v.number() })
const stateFile = 'waywarden.json'
// Of the interval, either way: replicas that start as one do not ask as one.
const jitter = 0.1

/** Follows a branch, tag or commit of a Git repository; every commit is read from the object store, never checked out. */
export function createGitSource(options: GitSourceOptions, random: () => number = Math.random): PolicySource {
  const closing = new AbortController()
  const git = createGit(options.directory, options, closing.signal)
  const name = `${options.url} ${options.ref}`
  let last: { readonly ids: string; readonly result: Found | Refused } | undefined
  return {
    name,
    recall: () => recall(git, options),
    async look() {
      const failed = await open(git, options)
      const advertised = failed ?? (await askRemote(git, options))
      if (isGitFailure(advertised)) return unreachable(name, advertised.message)
      if (last?.ids === advertised.ids) return last.result
      const result = await take(git, options, advertised)
      // What could not be fetched may be there at the next look.
      if (result.kind !== 'unreachable') last = { ids: advertised.ids, result }
      return result
    },
    async accept({ files }, nowMs) {
      const accepted = await commitOf(git, localRefs.head)
      const refs = {
        [localRefs.serving]: files.id,
        ...(accepted === undefined ? {} : { [localRefs.accepted]: accepted }),
      }
      const failed = await setRefs(git, refs)
      if (failed !== undefined) throw new LastGoodNotKept(failed.message)
      await writeState(options, nowMs)
    },
    nextLookMs: () => options.intervalMs * (1 - jitter + 2 * jitter * random()),
    close: () => closing.abort('the source was closed'),
  }
}

/** The last good revision could not be kept on disk. */
export class LastGoodNotKept extends Error {
  override readonly name = 'LastGoodNotKept'
  readonly code = 'last_good_not_kept'
}

async function open(git: Git, { directory }: GitSourceOptions) {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    return { kind: 'git-failure', message } as const
  }
  return openGitRepository(git, directory)
}

async function recall(git: Git, options: GitSourceOptions): ReturnType<PolicySource['recall']> {
  const state = await readState(options)
  if (state === undefined) {
    // Another repository's history: nothing here is a continuation of it.
    if (!isGitFailure((await open(git, options)) ?? {}))
      await setRefs(git, { [localRefs.accepted]: undefined, [localRefs.serving]: undefined })
    return undefined
  }
  const commit = await commitOf(git, localRefs.serving)
  if (commit === undefined) return undefined
  const pin = await commitOf(git, localRefs.pin)
  return { found: await read(git, options, commit, pin === commit, []), confirmedAtMs: state.confirmedAtMs }
}

async function take(git: Git, options: GitSourceOptions, advertised: Advertised): Promise<Found | Refused> {
  const failed = await fetchRemote(git, options.directory, options.url, advertised, options)
  if (failed !== undefined) return unreachable(options.url, failed.message)
  const head = await commitOf(git, localRefs.head)
  if (head === undefined) return refused(options.ref, 'expected a commit')
  const notices: string[] = []
  const accepted = await commitOf(git, localRefs.accepted)
  if (accepted !== undefined && !(await isInHistory(git, accepted, head))) {
    const rewritten = `its history was rewritten: ${shorten(head)} does not contain ${shorten(accepted)}, which it once was`
    if (options.rewrites === 'refuse')
      return refused(
        options.ref,
        `${rewritten}; merge the old head, or follow with \`policy.git.rewrites: follow\``,
      )
    notices.push(`\`${options.ref}\`: ${rewritten}`)
  }
  const pin = advertised.hasPin ? await commitOf(git, localRefs.pin) : undefined
  if (!advertised.hasPin || pin === undefined) return read(git, options, head, false, notices)
  // Whoever may set the pin chooses among what the followed ref has been, and brings in nothing else.
  if (!(await isInHistory(git, pin, head)))
    return refused(options.pinRef, `pins ${shorten(pin)}, which is not in the history of \`${options.ref}\``)
  return read(git, options, pin, true, notices)
}

async function read(
  git: Git,
  { path, allowedSigners, ref }: GitSourceOptions,
  commit: string,
  isPinned: boolean,
  notices: readonly string[],
): Promise<Found | Refused> {
  const unsigned = allowedSigners === undefined ? undefined : await refuseSignature(git, commit)
  if (unsigned !== undefined) return refused(`${ref} ${shorten(commit)}`, unsigned)
  const tree = await readGitTree(git, commit, path)
  if (!('files' in tree)) return { kind: 'refused', problems: tree.map((problem) => within(commit, problem)) }
  return { kind: 'found', files: { id: commit, ...tree }, pinned: isPinned ? commit : undefined, notices }
}

function within(commit: string, problem: Problem): Problem {
  return { ...problem, message: `${problem.message} (commit ${shorten(commit)})` }
}

function refused(file: string, message: string): Refused {
  return { kind: 'refused', problems: [{ file, message }] }
}

function unreachable(file: string, message: string): Refused {
  return { kind: 'unreachable', problems: [{ file, message }] }
}

function originOf({ url, ref, path }: GitSourceOptions): string {
  return JSON.stringify([url, ref, path])
}

async function readState(options: GitSourceOptions): Promise<{ readonly confirmedAtMs: number } | undefined> {
  try {
    const text = await readFile(join(options.directory, stateFile), 'utf8')
    const state = v.safeParse(stateSchema, JSON.parse(text))
    return state.success && state.output.origin === originOf(options) ? state.output : undefined
  } catch {
    return undefined
  }
}

async function writeState(options: GitSourceOptions, confirmedAtMs: number): Promise<void> {
  const path = join(options.directory, stateFile)
  const state: v.InferOutput<typeof stateSchema> = { version: 1, origin: originOf(options), confirmedAtMs }
  try {
    await writeFile(`${path}.draft`, JSON.stringify(state), { mode: 0o600 })
    await rename(`${path}.draft`, path)
  } catch (cause) {
    throw new LastGoodNotKept('the state of the policy source could not be written', { cause })
  }
}
