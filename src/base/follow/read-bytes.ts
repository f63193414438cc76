import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { isAbsent } from '../model/fault.ts'

/** Why an existing path is not read: it is not a regular file, or too large. */
export type NotRead =
  | { readonly kind: 'not-regular' }
  | { readonly kind: 'too-large'; readonly bytes: number }

/** Reads a regular file of at most `maxBytes`. Throws the kernel's error. */
export async function readBytes(path: string, maxBytes: number): Promise<Buffer | NotRead> {
  // Opening a named pipe would otherwise block until it has a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    // The status of the open file, because the path may lead to another file by now.
    const status = await file.stat()
    if (!status.isFile()) return { kind: 'not-regular' }
    if (status.size > maxBytes) return { kind: 'too-large', bytes: status.size }
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** The same for an optional file: `undefined` if the name does not exist. Throws any other error. */
export async function readOptional(path: string, maxBytes: number): Promise<Buffer | NotRead | undefined> {
  try {
    return await readBytes(path, maxBytes)
  } catch (cause) {
    // A dangling link is not absent: it says that there should be a file.
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
