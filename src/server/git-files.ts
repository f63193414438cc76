import { access, constants } from 'node:fs/promises'
import { explainFileError } from '../base/follow/file-error.ts'
import type { GitPolicy } from '../config/policy.ts'

const keys = ['sshKey', 'knownHosts', 'tokenFile', 'ca', 'proxyAuthFile', 'allowedSigners'] as const

/** Checks the files that Git needs for access and trust; one problem for each. */
export async function refuseGitFiles(git: GitPolicy | undefined): Promise<readonly string[]> {
  const problems = keys.map(async (key) => {
    const file = git?.[key]
    if (file === undefined) return []
    try {
      await access(file, constants.R_OK)
      return []
    } catch (cause) {
      return [`\`policy.git.${key}\`: ${file}: cannot be read: ${explainFileError(file, cause)}`]
    }
  })
  return (await Promise.all(problems)).flat()
}
