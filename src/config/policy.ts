import type { GitRepository, PolicyRepository, ShadowPolicy } from './settings.ts'

/** A policy repository in Git; paths of this machine are absolute. */
export type GitPolicy = Omit<
  GitRepository,
  | 'interval'
  | 'timeout'
  | 'maxSize'
  | 'sshKey'
  | 'knownHosts'
  | 'tokenFile'
  | 'ca'
  | 'proxy'
  | 'proxyAuthFile'
  | 'allowedSigners'
> & {
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly sshKey: string | undefined
  readonly knownHosts: string | undefined
  readonly tokenFile: string | undefined
  readonly ca: string | undefined
  readonly proxy: string | undefined
  readonly proxyAuthFile: string | undefined
  readonly allowedSigners: string | undefined
}

/** A policy repository for the shadow. */
export type ShadowSource = {
  readonly directory: string | undefined
  readonly git: GitPolicy | undefined
  readonly sample: number
  readonly perSecond: number
}

/** Adds units to names and makes paths absolute. */
export function toPolicy(
  { directory, git, tests, maxStaleness, shadow }: PolicyRepository,
  at: (path: string) => string,
): {
  readonly directory: string | undefined
  readonly git: GitPolicy | undefined
  readonly tests: PolicyRepository['tests']
  readonly maxStalenessMs: number | undefined
  readonly shadow: ShadowSource | undefined
} {
  const maybeAt = (path: string | undefined) => (path === undefined ? undefined : at(path))
  const live = git && toGitPolicy(git, at, maybeAt)
  return {
    directory: maybeAt(directory),
    git: live,
    tests,
    maxStalenessMs: maxStaleness,
    shadow: shadow && toShadow(shadow, live, maybeAt),
  }
}

function toShadow(
  { ref, directory, sample, perSecond }: ShadowPolicy,
  live: GitPolicy | undefined,
  maybeAt: (path: string | undefined) => string | undefined,
): ShadowSource {
  const git = live && ref !== undefined ? toShadowGit(ref, live) : undefined
  return { directory: maybeAt(directory), git, sample, perSecond }
}

/** Returns another ref of the same repository, with the same credentials and signers. */
function toShadowGit(ref: string, live: GitPolicy): GitPolicy {
  return {
    ...live,
    ref,
    // Each source has its own directory, so that a fetch for the shadow does not count for the serving revision.
    directory: `${live.directory}.shadow`,
    // A working branch is often rewritten.
    rewrites: 'follow',
    // The pin applies to the serving revision. The shadow has a pin ref of its own.
    pinRef: `${live.pinRef}-shadow`,
  }
}

function toGitPolicy(
  { interval, timeout, maxSize, ...git }: GitRepository,
  at: (path: string) => string,
  maybeAt: (path: string | undefined) => string | undefined,
): GitPolicy {
  return {
    ...git,
    intervalMs: interval,
    timeoutMs: timeout,
    maxBytes: maxSize,
    directory: at(git.directory),
    sshKey: maybeAt(git.sshKey),
    knownHosts: maybeAt(git.knownHosts),
    tokenFile: maybeAt(git.tokenFile),
    ca: maybeAt(git.ca),
    proxy: git.proxy,
    proxyAuthFile: maybeAt(git.proxyAuthFile),
    allowedSigners: maybeAt(git.allowedSigners),
  }
}
