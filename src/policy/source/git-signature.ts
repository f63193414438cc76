import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { type Fault, fault, isFault, toFault } from '../../base/model/fault.ts'
import { type Invalid, invalid } from '../../base/model/invalid.ts'
import { type Git, isGitFailure } from './git-process.ts'

/** Returns a digest of the allowed signers; a fault if the configured file cannot be read. */
export async function digestSigners(allowedSigners: string | undefined): Promise<string | Fault> {
  if (allowedSigners === undefined) return 'anybody'
  try {
    return createHash('sha256')
      .update(await readFile(allowedSigners))
      .digest('hex')
  } catch (cause) {
    return toFault('the list of allowed signers (`policy.git.allowedSigners`) cannot be read', cause)
  }
}

/** Explains why a commit lacks the SSH signature of an allowed signer; `undefined` if it has one or none is required. */
export async function refuseSignature(
  git: Git,
  commit: string,
  allowedSigners: string | undefined,
): Promise<Invalid | Fault | undefined> {
  if (allowedSigners === undefined) return undefined
  // Git and ssh-keygen report an unreadable list like a missing signer.
  const signers = await digestSigners(allowedSigners)
  if (isFault(signers)) return signers
  const verified = await git({ args: ['verify-commit', commit] })
  if (!isGitFailure(verified)) return undefined
  return verified.exitCode === 1
    ? invalid(`expected the SSH signature of an allowed signer: ${verified.message}`)
    : fault(`its signature could not be verified: ${verified.message}`)
}
