import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describeCause, type Fault, fault, isAbsent } from '../../base/model/fault.ts'
import { type Invalid, invalid } from '../../base/model/invalid.ts'
import { type Git, type GitFailure, gitFailure, isGitFailure } from './git-process.ts'

/** The followed remote. */
export type GitOrigin = {
  readonly url: string
  /** A branch or tag by its short or full name, or a complete commit id. */
  readonly ref: string
  /** The ref that pins an earlier revision for all followers while it exists. */
  readonly pinRef: string
}

/**
 * The local refs. The repository has no others. A ref that git does not find may exist, because git reports an unreadable
 * ref in the same way.
 */
export const localRefs = {
  head: 'refs/waywarden/head',
  pin: 'refs/waywarden/pin',
  /** The last head that was accepted as a continuation of the history. */
  accepted: 'refs/waywarden/accepted',
  serving: 'refs/waywarden/serving',
} as const

/** The remote's state: the refs to fetch, and their ids in one string, which changes with any of them. */
export type Advertised = {
  readonly refspecs: readonly string[]
  readonly hasPin: boolean
  readonly ids: string
}

const sizeCheckMs = 200
const commitId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

/** True if a text is a complete commit id. */
export function isCommitId(text: string): boolean {
  return commitId.test(text)
}

/** Creates the bare repository if needed, and removes the remains of a killed fetch. */
export async function openGitRepository(git: Git, directory: string): Promise<GitFailure | undefined> {
  try {
    await sweep(directory)
  } catch (cause) {
    return gitFailure(describeCause(cause))
  }
  const made = await git({ args: ['init', '--bare', '--quiet', '--template=', directory] })
  return isGitFailure(made) ? made : undefined
}

/** Asks the remote for the followed ref and the pin. */
export async function askRemote(git: Git, { url, ref, pinRef }: GitOrigin): Promise<Advertised | GitFailure> {
  const candidates = isCommitId(ref) ? [] : candidatesOf(ref)
  const listing = await git({ args: ['ls-remote', '--quiet', '--', url, ...candidates, pinRef] })
  if (isGitFailure(listing)) return listing
  // The patterns also match the ends of longer names.
  const ids = new Map(
    listing
      .toString()
      .split('\n')
      .flatMap((line) => {
        const [id = '', name = ''] = line.split('\t')
        return [...candidates, pinRef].includes(name) ? [[name, id] as const] : []
      }),
  )
  const found = candidates.filter((name) => ids.has(name))
  if (candidates.length > 0 && found.length !== 1) {
    const message =
      found.length === 0
        ? `the remote has no branch or tag \`${ref}\``
        : `\`${ref}\` is a branch and a tag; write \`${found.join('` or `')}\``
    return gitFailure(message)
  }
  const hasPin = ids.has(pinRef)
  const refspecs = [
    `+${found[0] ?? ref}:${localRefs.head}`,
    ...(hasPin ? [`+${pinRef}:${localRefs.pin}`] : []),
  ]
  return { refspecs, hasPin, ids: [found[0] ?? ref, ...[...ids].flat()].join(' ') }
}

/** Fetches the advertised refs with their history, unless the repository would exceed its limit. */
export async function fetchRemote(
  git: Git,
  directory: string,
  url: string,
  { refspecs, hasPin }: Advertised,
  limits: { readonly maxBytes: number; readonly timeoutMs: number },
): Promise<GitFailure | undefined> {
  const growth = new AbortController()
  const refusal = `the repository is larger than ${limits.maxBytes} bytes; policies belong in one of their own`
  const isTooLarge = async () => (await sizeOf(directory)) > limits.maxBytes
  const check = () =>
    isTooLarge().then(
      (isLarge) => isLarge && growth.abort(refusal),
      // Git renames and removes files meanwhile. The size is measured again after it has ended.
      () => {},
    )
  // Git has no limit of its own for the size of a fetch.
  const watch = setInterval(() => void check(), sizeCheckMs)
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--refmap=']
  const fetched = await git({
    args: ['fetch', ...options, '--', url, ...refspecs],
    signal: growth.signal,
    timeoutMs: limits.timeoutMs,
  })
  clearInterval(watch)
  try {
    if (await isTooLarge()) {
      await discard(git, directory)
      return gitFailure(refusal)
    }
  } catch (cause) {
    return gitFailure(`the size of the local copy is unknown: ${describeCause(cause)}`)
  }
  if (isGitFailure(fetched)) return fetched
  return hasPin ? undefined : setRefs(git, { [localRefs.pin]: undefined })
}

/** Returns the commit of a ref, tag or (abbreviated) id; invalid only if it is certain that there is none. */
export async function commitOf(git: Git, name: string): Promise<string | Invalid | Fault> {
  const id = await git({ args: ['rev-parse', '--verify', '--quiet', `${name}^{commit}`] })
  if (!isGitFailure(id)) return id.toString().trim()
  const type = await git({ args: ['cat-file', '-t', `${name}^{}`] })
  const found = isGitFailure(type) ? 'commit' : type.toString().trim()
  return found === 'commit'
    ? fault(`\`${name}\` cannot be read in the local copy: ${id.message}`)
    : invalid(`expected a commit, found a ${found}`)
}

/** True if one commit is another, or in its history. */
export async function isInHistory(git: Git, commit: string, head: string): Promise<boolean | Fault> {
  if (commit === head) return true
  // Not `merge-base --is-ancestor`: before Git 2.44 it says no if it cannot read a commit.
  const beyond = await git({ args: ['rev-list', '--max-count=1', commit, `^${head}`] })
  return isGitFailure(beyond)
    ? fault(`the history of ${shorten(head)} cannot be read: ${beyond.message}`)
    : beyond.length === 0
}

/** Shortens a commit id for messages. */
export function shorten(commit: string): string {
  return commit.slice(0, 12)
}

/** Sets local refs in one transaction; `undefined` deletes a ref. */
export async function setRefs(
  git: Git,
  refs: Readonly<Record<string, string | undefined>>,
): Promise<GitFailure | undefined> {
  const lines = Object.entries(refs).map(([name, id]) =>
    id === undefined ? `delete ${name}` : `update ${name} ${id}`,
  )
  const done = await git({ args: ['update-ref', '--stdin'], input: `${lines.join('\n')}\n` })
  return isGitFailure(done) ? done : undefined
}

/** Discards the last fetch because it was too large, so that the next poll can succeed. */
async function discard(git: Git, directory: string): Promise<void> {
  await sweep(directory)
  await setRefs(git, { [localRefs.head]: undefined, [localRefs.pin]: undefined })
  await git({ args: ['gc', '--quiet', '--prune=now'] })
}

/** Removes the remains of a killed git: partial packs, and locks that would stop every later git. */
async function sweep(directory: string): Promise<void> {
  const names = await namesIn(directory)
  const left = names.filter((name) => name.startsWith('objects/pack/tmp_') || name.endsWith('.lock'))
  for (const name of left) await rm(join(directory, name), { force: true })
}

function candidatesOf(ref: string): readonly string[] {
  return ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`]
}

async function sizeOf(directory: string): Promise<number> {
  const sizes = (await namesIn(directory)).map(async (name) => (await lstat(join(directory, name))).size)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

/** Lists a directory; empty if it does not exist. */
async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory, { recursive: true })
  } catch (cause) {
    if (isAbsent(cause)) return []
    throw cause
  }
}
