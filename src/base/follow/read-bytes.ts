import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { isAbsent } from '../model/fault.ts'

/** Why a path that the kernel opens is not read: it is no regular file, or larger than the caller takes. */
export type NotRead =
  | { readonly kind: 'not-regular' }
  | { readonly kind: 'too-large'; readonly bytes: number }

/** Reads a regular file of at most `maxBytes`. Throws what the kernel said. */
export async function readBytes(path: string, maxBytes: number): Promise<Buffer | NotRead> {
  // Opening a named pipe would wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    // Of the open file: a path may lead to another file by now.
    const status = await file.stat()
    if (!status.isFile()) return { kind: 'not-regular' }
    if (status.size > maxBytes) return { kind: 'too-large', bytes: status.size }
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** The same of a file that may be absent: `undefined` when the kernel knows no such name. Throws anything else. */
export async function readOptional(path: string, maxBytes: number): Promise<Buffer | NotRead | undefined> {
  try {
    return await readBytes(path, maxBytes)
  } catch (cause) {
    // A link to nowhere is not absent: it says that there should be a file.
    if (isAbsent(cause) && (await isUnknown(path))) return undefined
    throw cause
  }
}

async function isUnknown(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return false
  } catch (cause) {
    if (isAbsent(cause)) return true
    throw cause
  }
}
