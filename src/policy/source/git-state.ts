import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { type Fault, isAbsent, toFault } from '../../base/model/fault.ts'

/** What a Git source remembers for the next look and the next start. */
export type GitState = {
  readonly version: 1
  /** What the state is about: another repository, ref or folder has another history. */
  readonly origin: string
  readonly confirmedAtMs: number
  /** The commit that serves, and whether a pin chose it; absent in what earlier versions wrote. */
  readonly serving?: string | undefined
  readonly isPinned?: boolean | undefined
  /** The head that was last taken as a continuation of the history; absent in what earlier versions wrote. */
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

/** The last good revision could not be kept on disk. */
export class LastGoodNotKept extends Error {
  override readonly name = 'LastGoodNotKept'
  readonly code = 'last_good_not_kept'
}

/**
 * Reads what was remembered about this origin; `undefined` when nothing was. A state that cannot be read, or is broken, is
 * a fault: without it a rewritten history would look like a first one.
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

/** Replaces what is remembered, whole or not at all. */
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
