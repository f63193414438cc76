import { mkdir } from 'node:fs/promises'
import { isFailure } from '../../base/model/failure.ts'
import { describeCause, type Fault, fault, isFault } from '../../base/model/fault.ts'
import { type Invalid, isInvalid } from '../../base/model/invalid.ts'
import {
  createGit,
  type Git,
  type GitAccess,
  type GitFailure,
  gitFailure,
  isGitFailure,
} from './git-process.ts'
import {
  type Advertised,
  askRemote,
  commitOf,
  fetchRemote,
  type GitOrigin,
  isInHistory,
  localRefs,
  openGitRepository,
  setRefs,
  shorten,
} from './git-repository.ts'
import { digestSigners, refuseSignature } from './git-signature.ts'
import { type GitState, LastGoodNotKept, readState, writeState } from './git-state.ts'
import { readGitTree } from './git-tree.ts'
import { type Found, failed, type PolicySource, refused, type Unusable } from './policy-source.ts'

/** A policy repository in Git, and how to follow it. */
export type GitSourceOptions = GitAccess &
  GitOrigin & {
    /** The folder of services.yaml; empty for the root. */
    readonly path: string
    /**
     * The directory of the local copy, which holds the last good revision for a start without network. Each process needs
     * its own.
     */
    readonly directory: string
    readonly intervalMs: number
    readonly timeoutMs: number
    readonly maxBytes: number
    /** The reaction if the followed ref no longer contains its earlier head. */
    readonly rewrites: 'refuse' | 'follow'
  }

/** The files at a head. */
type Taken = { readonly kind: 'taken'; readonly head: string; readonly found: Found }

/**
 * Follows a branch, tag or commit of a Git repository. Commits are read from the object store and never checked out.
 * `program` is the git executable.
 */
export function createGitSource(options: GitSourceOptions, program?: string): PolicySource {
  const closing = new AbortController()
  const git = createGit(options.directory, options, closing.signal, program)
  const name = `${options.url} ${options.ref}`
  // INVARIANT: only successful results. A refusal can follow from a fault, so each poll repeats its steps.
  let last: { readonly key: string; readonly taken: Taken } | undefined
  // Kept in memory after the first poll, so that a lost or emptied copy does not make the next poll a first one.
  let state: GitState | undefined
  return {
    name,
    recall: () => recall(git, options),
    async look() {
      const signers = await digestSigners(options.allowedSigners)
      if (isFailure(signers)) return failed(name, signers.reason)
      const advertised = (await prepare(git, options)) ?? (await askRemote(git, options))
      if (isGitFailure(advertised)) return failed(name, advertised.message)
      const key = `${advertised.ids} ${signers}`
      if (last?.key === key) return last.taken.found
      const before = state ?? (await readState(options.directory, originOf(options)))
      if (before !== undefined && isFault(before)) return failed(name, before.reason)
      const taken = await take(git, options, { advertised, before })
      if (taken.kind !== 'taken') return taken
      last = { key, taken }
      return taken.found
    },
    async accept(found, nowMs) {
      if (last?.taken.found !== found) throw new LastGoodNotKept('it is not the latest result')
      // Set before it is written, because otherwise on a failing disk a force-push would look like a continuation.
      state = toState(options, last.taken, nowMs)
      await remember(git, options.directory, state)
    },
    intervalMs: options.intervalMs,
    close: () => closing.abort('the source was closed'),
  }
}

async function prepare(git: Git, { directory }: GitSourceOptions): Promise<GitFailure | undefined> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    return gitFailure(describeCause(cause))
  }
  return openGitRepository(git, directory)
}

async function recall(git: Git, options: GitSourceOptions): ReturnType<PolicySource['recall']> {
  const state = await readState(options.directory, originOf(options))
  if (state === undefined) return undefined
  if (isFault(state)) return { found: failed(options.url, state.reason), confirmedAtMs: 0 }
  const { confirmedAtMs } = state
  const commit = state.serving ?? (await commitOf(git, localRefs.serving))
  if (isFailure(commit)) return { found: failed(options.url, commit.reason), confirmedAtMs }
  const isPinned = state.isPinned ?? (await commitOf(git, localRefs.pin)) === commit
  return { found: await read(git, options, commit, isPinned), confirmedAtMs }
}

function toState(options: GitSourceOptions, { head, found }: Taken, confirmedAtMs: number): GitState {
  const { files, pinned } = found
  return {
    version: 1,
    origin: originOf(options),
    confirmedAtMs,
    serving: files.id,
    isPinned: pinned !== undefined,
    accepted: head,
  }
}

/** Stores the serving revision and the accepted head for the next start. */
async function remember(git: Git, directory: string, state: GitState): Promise<void> {
  const { serving, accepted } = state
  // Refs protect the commits from garbage collection, and earlier versions read them.
  const unkept = await setRefs(git, { [localRefs.serving]: serving, [localRefs.accepted]: accepted })
  if (unkept !== undefined) throw new LastGoodNotKept(unkept.message)
  await writeState(directory, state)
}

/** The remote's current state, and the previous state. */
type Asked = { readonly advertised: Advertised; readonly before: GitState | undefined }

async function take(
  git: Git,
  options: GitSourceOptions,
  { advertised, before }: Asked,
): Promise<Taken | Unusable> {
  const unfetched = await fetchRemote(git, options.directory, options.url, advertised, options)
  if (unfetched !== undefined) return failed(options.url, unfetched.message)
  const head = await commitOf(git, localRefs.head)
  if (isFailure(head)) return toUnusable(options.ref, head)
  const rewritten = before && (await findRewrite(git, before, head))
  if (isFailure(rewritten))
    return failed(
      options.ref,
      `${rewritten.reason}; if that stays, compare the branch with what serves, then remove \`${options.directory}\``,
    )
  if (rewritten !== undefined && options.rewrites === 'refuse')
    return refused(
      options.ref,
      `${rewritten}; merge the old head, or follow with \`policy.git.rewrites: follow\``,
    )
  const notices = rewritten === undefined ? [] : [`\`${options.ref}\`: ${rewritten}`]
  const pin = advertised.hasPin ? await findPin(git, options, head) : undefined
  if (isFailure(pin)) return pin
  const found = await read(git, options, pin ?? head, pin !== undefined)
  return found.kind === 'found' ? { kind: 'taken', head, found: { ...found, notices } } : found
}

/** Explains which earlier head the followed ref no longer contains; `undefined` if it contains it. */
async function findRewrite(git: Git, before: GitState, head: string): Promise<string | Fault | undefined> {
  const accepted = await acceptedOf(git, before)
  if (isFailure(accepted)) return accepted
  const isContinued = await isInHistory(git, accepted, head)
  if (isFailure(isContinued)) return isContinued
  return isContinued
    ? undefined
    : `its history was rewritten: ${shorten(head)} does not contain ${shorten(accepted)}, which it once was`
}

async function acceptedOf(git: Git, { accepted }: GitState): Promise<string | Fault> {
  if (accepted !== undefined) return accepted
  const commit = await commitOf(git, localRefs.accepted)
  return isFailure(commit) ? fault(commit.reason) : commit
}

/** Returns the commit of the remote's pin. A pin can only choose among commits in the history of the followed ref. */
async function findPin(
  git: Git,
  { ref, pinRef }: GitSourceOptions,
  head: string,
): Promise<string | Unusable> {
  const pin = await commitOf(git, localRefs.pin)
  if (isFailure(pin)) return toUnusable(pinRef, pin)
  const isContained = await isInHistory(git, pin, head)
  if (isFailure(isContained)) return failed(pinRef, isContained.reason)
  return isContained
    ? pin
    : refused(pinRef, `pins ${shorten(pin)}, which is not in the history of \`${ref}\``)
}

async function read(
  git: Git,
  { path, allowedSigners, ref }: GitSourceOptions,
  commit: string,
  isPinned: boolean,
): Promise<Found | Unusable> {
  const unsigned = await refuseSignature(git, commit, allowedSigners)
  if (unsigned !== undefined) return toUnusable(`${ref} ${shorten(commit)}`, unsigned)
  const tree = await readGitTree(git, commit, path)
  if (!isFailure(tree))
    return {
      kind: 'found',
      files: { id: commit, ...tree },
      pinned: isPinned ? commit : undefined,
      notices: [],
    }
  const problems = tree.problems.map((problem) => {
    return { ...problem, message: `${problem.message} (commit ${shorten(commit)})` }
  })
  return { ...tree, problems }
}

function toUnusable(file: string, reason: Fault | Invalid): Unusable {
  return isInvalid(reason) ? refused(file, reason.reason) : failed(file, reason.reason)
}

function originOf({ url, ref, path }: GitSourceOptions): string {
  return JSON.stringify([url, ref, path])
}
