import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { explainFileError } from '../base/follow/file-error.ts'
import { isAbsent } from '../base/model/fault.ts'

/** Explains why records cannot be written to a directory, which may not exist yet; `undefined` if they can. */
export async function refuseAuditDirectory(directory: string): Promise<string | undefined> {
  for (let place = directory; ; place = dirname(place)) {
    try {
      if (!(await stat(place)).isDirectory())
        return `\`audit.directory\`: ${place} is a file; name a directory`
      await access(place, constants.W_OK | constants.X_OK)
      return undefined
    } catch (cause) {
      if (!isAbsent(cause) || place === dirname(place))
        return `\`audit.directory\`: nothing can be written into ${place}: ${explainFileError(place, cause).replace('read it', 'write there')}`
    }
  }
}
