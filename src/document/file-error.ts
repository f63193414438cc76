import { statSync } from 'node:fs'

/** Why a file or directory cannot be read, in words: what is wrong with it, and for a permission whose it is. */
export function explainFileError(path: string, cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  switch ('code' in cause ? cause.code : undefined) {
    case 'ENOENT':
      return 'there is no such file or directory'
    case 'EACCES':
    case 'EPERM':
      return `user ${userId()} may not read it${ownerOf(path)}; change its owner or mode`
    case 'EISDIR':
      return 'expected a file, found a directory'
    case 'ENOTDIR':
      return 'expected a directory, found a file on the way to it'
    case 'ELOOP':
      return 'its symbolic links lead in a circle'
    default:
      return cause.message
  }
}

function userId(): string {
  return String(process.getuid?.() ?? '')
}

function ownerOf(path: string): string {
  try {
    const { mode, uid, gid } = statSync(path)
    return ` (owner ${uid}, group ${gid}, mode ${(mode & 0o777).toString(8).padStart(4, '0')})`
  } catch {
    // The directory in which it lies cannot be looked into either.
    return ', nor look into its directory'
  }
}
