import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isInvalid } from '../../base/model/invalid.ts'
import { parseMetaLine, type SegmentLine } from '../format/meta-line.ts'
import type { SegmentName } from './segment.ts'

/** A file with a segment's name, and its location. */
export type SegmentFile = SegmentName & {
  readonly path: string
  readonly directory: string
  /** The audit directory. For a worker's folder this is its parent. */
  readonly root: string
  /** The number in the name of the worker's folder. */
  readonly worker: number | undefined
}

/** A segment file with its first line; `undefined` if that is not the line of this segment. */
export type HeadedSegment = SegmentFile & { readonly header: SegmentLine | undefined }

/** A segment's first line is much shorter, because a tree has at most 53 roots of 44 characters. */
const maxHeaderBytes = 64 * 1024

/**
 * Opens a regular file. Links, pipes and folders are refused: a pipe would block the reader, and a link can lead out of
 * the log.
 */
export async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    if ((await file.stat()).isFile()) return file
  } catch (cause) {
    await file.close()
    throw cause
  }
  await file.close()
  throw new TypeError('it is no regular file')
}

/** Reads the first line of a segment; `undefined` if it is not one or cannot be read. */
export async function readHeader(path: string): Promise<SegmentLine | undefined> {
  let file: FileHandle | undefined
  try {
    file = await openRegular(path)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxHeaderBytes), 0, maxHeaderBytes, 0)
    const end = buffer.subarray(0, bytesRead).indexOf('\n')
    const meta = end === -1 ? undefined : parseMetaLine(buffer.subarray(0, end))
    return meta !== undefined && !isInvalid(meta) && meta.kind === 'segment' ? meta : undefined
  } catch {
    // The walk over the log opens the file again and reports the fault.
    return undefined
  } finally {
    await file?.close()
  }
}

/** Explains a failed system call in plain words. */
export function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT') return 'there is no such file or directory'
  if (code === 'ELOOP') return 'it is a symbolic link'
  return code === 'EACCES' ? 'you may not read it' : cause.message
}
