import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { type Fault, isAbsent, toFault } from '../../base/model/fault.ts'

/** The state of a Git source for the next poll and the next start. */
export type GitState = {
  readonly version: 1
  /** The repository, ref and folder of the state. Another origin has another history. */
  readonly origin: string
  readonly confirmedAtMs: number
  /** The serving commit, and whether a pin chose it; absent in files of earlier versions. */
  readonly serving?: string | undefined
  readonly isPinned?: boolean | undefined
  /** The last head that was accepted as a continuation of the history; absent in files of earlier versions. */
  readonly accepted?: string | undefined
}

const stateSchema: v.GenericSchema<unknown, GitState> = v.object({
  version: v.literal(1),
  origin: v.string(),
  confirmedAtMs: v.number(),
  serving: v.optional(v.string()),
  isPinned: v.optional(v.boolean()),
  accepted: v.optional(v.string()),
})

const stateFile = 'waywarden.json'

/** The last good revision could not be stored on disk. */
export class LastGoodNotKept extends Error {
  override readonly name = 'LastGoodNotKept'
  readonly code = 'last_good_not_kept'
}

/**
 * Reads the stored state of this origin; `undefined` if there is none. An unreadable or broken state is a fault, because
 * without it a rewritten history would look like a first one.
 */
export async function readState(directory: string, origin: string): Promise<GitState | Fault | undefined> {
  const path = join(directory, stateFile)
  try {
    const state = v.parse(stateSchema, JSON.parse(await readFile(path, 'utf8')))
    return state.origin === origin ? state : undefined
  } catch (cause) {
    if (isAbsent(cause)) return undefined
    const remedy = 'if that stays, remove the directory to begin with a new copy'
    return toFault(`what was followed before cannot be read from \`${path}\` (${remedy})`, cause)
  }
}

/** Replaces the stored state, completely or not at all. */
export async function writeState(directory: string, state: GitState): Promise<void> {
  const path = join(directory, stateFile)
  try {
    const draft = await open(`${path}.draft`, 'w', 0o600)
    try {
      await draft.writeFile(JSON.stringify(state))
      await draft.sync()
    } finally {
      await draft.close()
    }
    await rename(`${path}.draft`, path)
  } catch (cause) {
    throw new LastGoodNotKept('the state of the policy source could not be written', { cause })
  }
}
