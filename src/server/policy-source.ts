import { readRevision } from '../audit/write/revision-store.ts'
import type { Config } from '../config/config.ts'
import type { GitPolicy } from '../config/policy.ts'
import { createDirectorySource } from '../policy/source/followed-directory.ts'
import { createGitSource } from '../policy/source/git-source.ts'
import type { PolicySource } from '../policy/source/policy-source.ts'
import { type StartContext, StartError, type Worker } from './start-context.ts'

/** Where the configuration says that policies come from. */
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
  // The configuration's rules leave exactly one.
  if (policy.directory === undefined) throw new StartError(['policy: expected `directory` or `git`'])
  return createDirectorySource(policy.directory, pollMs, (id) => readRevision(audit.directory, id))
}

/** One process, one directory. */
function ofWorker(git: GitPolicy, { number }: Worker): GitPolicy {
  return { ...git, directory: `${git.directory}.worker-${number}` }
}
