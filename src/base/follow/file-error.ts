import { statSync } from 'node:fs'
import { describeCause } from '../model/fault.ts'

/** Explains why a file or directory cannot be read: words, errno, and for a permission error the owner. */
export function explainFileError(path: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const words = toWords(path, code)
  return words === undefined ? describeCause(cause) : `${words} (${code})`
}

function toWords(path: string, code: string): string | undefined {
  switch (code) {
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
      return undefined
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
    // Its directory is not readable either.
    return ', nor look into its directory'
  }
}
