import type { GitRepository, PolicyRepository } from './settings.ts'

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

/** Puts units into names and makes paths absolute. */
export function toPolicy(
  { directory, git, tests, maxStaleness }: PolicyRepository,
  at: (path: string) => string,
): {
  readonly directory: string | undefined
  readonly git: GitPolicy | undefined
  readonly tests: PolicyRepository['tests']
  readonly maxStalenessMs: number | undefined
} {
  const maybeAt = (path: string | undefined) => (path === undefined ? undefined : at(path))
  return {
    directory: maybeAt(directory),
    git: git && toGitPolicy(git, at, maybeAt),
    tests,
    maxStalenessMs: maxStaleness,
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
