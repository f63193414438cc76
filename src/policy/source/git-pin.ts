import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatProblem, type Problem } from '../../base/document/problem.ts'
import { isFailure } from '../../base/model/failure.ts'
import { type Fault, fault, isFault } from '../../base/model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import { formatCount } from '../../base/text/count.ts'
import { createGit, type Git, isGitFailure } from './git-process.ts'
import {
  type Advertised,
  askRemote,
  commitOf,
  fetchRemote,
  isInHistory,
  localRefs,
  openGitRepository,
  shorten,
} from './git-repository.ts'
import { refuseSignature } from './git-signature.ts'
import type { GitSourceOptions } from './git-source.ts'
import { readGitTree } from './git-tree.ts'
import type { PolicyFiles } from './policy-files.ts'

/** The number of commits to try before the operator has to name one. */
const maxTried = 50

/** A pin that was set or removed; `commit` is what every follower serves after its next poll. */
export type PinChange = {
  readonly kind: 'pinned' | 'released'
  readonly commit: string
  readonly was: string | undefined
  /** Newer commits that were skipped, because a follower would refuse them. */
  readonly passedOver?: readonly string[]
}

/**
 * Pins an earlier commit for all followers of the ref, by writing the pin ref at the remote. Without `revision` it
 * chooses the newest earlier commit that changed the policies and can be served. It never pins a commit that a follower
 * would refuse.
 */
export function pinInGit(
  options: GitSourceOptions,
  revision: string | undefined,
  prove: (files: PolicyFiles) => readonly Problem[],
  program?: string,
): Promise<PinChange | Invalid> {
  return inCopy(options, program, async (git, { hasPin }) => {
    const was = await pinnedIn(git, hasPin)
    const head = await commitOf(git, localRefs.head)
    if (isFailure(head)) return invalid(`\`${options.ref}\`: ${head.reason}`)
    if (isFailure(was)) return invalid(was.reason)
    const chosen =
      revision === undefined
        ? await chooseBefore(git, options, { commit: was ?? head, head, prove })
        : await chooseNamed(git, options, { commit: revision, head, prove })
    if (isInvalid(chosen)) return chosen
    const { commit, passedOver } = chosen
    const failed = await push(git, options, `+${commit}:${options.pinRef}`)
    return failed ?? { kind: 'pinned', commit, was, passedOver }
  })
}

/** Removes the pin ref at the remote, so that all followers use the ref again. */
export function releaseInGit(options: GitSourceOptions, program?: string): Promise<PinChange | Invalid> {
  return inCopy(options, program, async (git, { hasPin }) => {
    if (!hasPin) return invalid(`\`${options.pinRef}\` pins nothing`)
    const head = await commitOf(git, localRefs.head)
    if (isFailure(head)) return invalid(`\`${options.ref}\`: ${head.reason}`)
    const was = await pinnedIn(git, hasPin)
    if (isFailure(was)) return invalid(was.reason)
    const failed = await push(git, options, `:${options.pinRef}`)
    return failed ?? { kind: 'released', commit: head, was }
  })
}

/** Returns the commit of the remote's pin; `undefined` without a pin, or if the pin is not a commit. */
async function pinnedIn(git: Git, hasPin: boolean): Promise<string | Fault | undefined> {
  const pin = hasPin ? await commitOf(git, localRefs.pin) : undefined
  return isInvalid(pin) ? undefined : pin
}

/** Works in a separate copy, because the follower's copy may be in use by a running process. */
async function inCopy(
  options: GitSourceOptions,
  program: string | undefined,
  work: (git: Git, advertised: Advertised) => Promise<PinChange | Invalid>,
): Promise<PinChange | Invalid> {
  const directory = await mkdtemp(join(tmpdir(), 'waywarden-pin-'))
  try {
    const git = createGit(directory, options, undefined, program)
    const failed = await openGitRepository(git, directory)
    const advertised = failed ?? (await askRemote(git, options))
    if (isGitFailure(advertised)) return invalid(advertised.message)
    const unfetched = await fetchRemote(git, directory, options.url, advertised, options)
    return unfetched === undefined ? await work(git, advertised) : invalid(unfetched.message)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

type Chosen = { readonly kind: 'chosen'; readonly commit: string; readonly passedOver: readonly string[] }

async function chooseNamed(git: Git, options: GitSourceOptions, named: Candidate): Promise<Chosen | Invalid> {
  const commit = await commitOf(git, named.commit)
  if (isFailure(commit)) return invalid(`expected a commit of \`${options.ref}\`: ${commit.reason}`)
  const refusal = await refuse(git, options, { ...named, commit })
  return refusal === undefined
    ? { kind: 'chosen', commit, passedOver: [] }
    : invalid(
        `${shorten(commit)}: ${refusal.reason}\nwithout an id, the newest earlier commit is taken that can be served`,
      )
}

/** Returns the newest earlier commit that changed the policies and would be served. */
async function chooseBefore(
  git: Git,
  options: GitSourceOptions,
  present: Candidate,
): Promise<Chosen | Invalid> {
  const { path, ref } = options
  const folder = path === '' ? [] : [`:(literal)${path}`]
  const listing = await git({
    args: ['rev-list', `--max-count=${maxTried + 1}`, present.commit, '--', ...folder],
  })
  if (isGitFailure(listing)) return invalid(listing.message)
  const [, ...earlier] = listing.toString().trim().split('\n')
  const passedOver: string[] = []
  for (const commit of earlier) {
    const refusal = await refuse(git, options, { ...present, commit })
    if (refusal === undefined) return { kind: 'chosen', commit, passedOver }
    const reason = `${shorten(commit)}: ${refusal.reason}`
    // A commit that cannot be read may be the wanted one.
    if (isFault(refusal)) return invalid(reason)
    passedOver.push(reason)
  }
  const place = `\`${ref}\` before ${shorten(present.commit)}`
  if (passedOver.length === 0) return invalid(`no commit of ${place} changed the policies`)
  const tried = formatCount(passedOver.length, 'commit')
  return invalid([`no commit of ${place} would be served; ${tried} tried:`, ...passedOver].join('\n'))
}

type Candidate = {
  readonly commit: string
  readonly head: string
  readonly prove: (files: PolicyFiles) => readonly Problem[]
}

async function refuse(
  git: Git,
  { ref, path, allowedSigners }: GitSourceOptions,
  { commit, head, prove }: Candidate,
): Promise<Invalid | Fault | undefined> {
  const isContained = await isInHistory(git, commit, head)
  if (isFailure(isContained)) return isContained
  if (!isContained) return invalid(`it is not in the history of \`${ref}\``)
  const unsigned = await refuseSignature(git, commit, allowedSigners)
  if (unsigned !== undefined) return unsigned
  const tree = await readGitTree(git, commit, path)
  const problems = isFailure(tree) ? tree.problems : prove({ id: commit, ...tree })
  if (problems.length === 0) return undefined
  const texts = problems.map(formatProblem).join('\n')
  return isFailure(tree) && tree.kind === 'failed'
    ? fault(texts)
    : invalid(`it would not be served:\n${texts}`)
}

async function push(
  git: Git,
  { url, timeoutMs }: GitSourceOptions,
  refspec: string,
): Promise<Invalid | undefined> {
  const pushed = await git({ args: ['push', '--quiet', '--no-verify', '--', url, refspec], timeoutMs })
  if (!isGitFailure(pushed)) return undefined
  return invalid(`${pushed.message}; who may write there can do it: git push ${url} ${refspec}`)
}
