import { readRevision } from '../audit/write/revision-store.ts'
import type { Config } from '../config/config.ts'
import type { GitPolicy } from '../config/policy.ts'
import { createDirectorySource } from '../policy/source/followed-directory.ts'
import { createGitSource } from '../policy/source/git-source.ts'
import type { PolicySource } from '../policy/source/policy-source.ts'
import { type StartContext, StartError, type Worker } from './start-context.ts'

/** Creates the configured policy source. */
export function createPolicySource(
  {
    policy,
    audit,
  }: {
    readonly policy: Pick<Config['policy'], 'directory' | 'git'>
    readonly audit: Pick<Config['audit'], 'directory'>
  },
  { pollMs, worker }: Pick<StartContext, 'pollMs' | 'worker'>,
): PolicySource {
  if (policy.git !== undefined)
    return createGitSource(worker === undefined ? policy.git : ofWorker(policy.git, worker))
  // The configuration's rules ensure that exactly one source is configured.
  if (policy.directory === undefined) throw new StartError(['policy: expected `directory` or `git`'])
  return createDirectorySource(policy.directory, pollMs, (id) => readRevision(audit.directory, id))
}

/** Each process has its own directory. */
function ofWorker(git: GitPolicy, { number }: Worker): GitPolicy {
  return { ...git, directory: `${git.directory}.worker-${number}` }
}
