import { readFile } from 'node:fs/promises'
import { type Invalid, invalid } from '../model/invalid.ts'
import { parseRevocations, type Revocations } from './revocations.ts'

/** Reads a revocations file; every problem names the file. */
export async function readRevocations(path: string): Promise<Revocations | readonly Invalid[]> {
  try {
    const parsed = parseRevocations(await readFile(path, 'utf8'))
    return 'actor' in parsed ? parsed : parsed.map(({ reason }) => invalid(`${path}: ${reason}`))
  } catch (error) {
    return [invalid(`${path}: cannot be read: ${String(error)}`)]
  }
}
