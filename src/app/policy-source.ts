import { readRevision } from '../audit/revision-store.ts'
import type { Config } from '../config/config.ts'
import { createDirectorySource } from '../revision/directory-source.ts'
import { createGitSource } from '../revision/git-source.ts'
import type { PolicySource } from '../revision/policy-source.ts'
import { StartError } from './opening.ts'

/** Where the configuration says that policies come from. */
export function createPolicySource(
  {
    policy,
    audit,
  }: {
    readonly policy: Pick<Config['policy'], 'directory' | 'git'>
    readonly audit: Pick<Config['audit'], 'directory'>
  },
  pollMs: number,
): PolicySource {
  if (policy.git !== undefined) return createGitSource(policy.git)
  // The configuration's rules leave exactly one.
  if (policy.directory === undefined) throw new StartError(['policy: expected `directory` or `git`'])
  return createDirectorySource(policy.directory, pollMs, (id) => readRevision(audit.directory, id))
}
