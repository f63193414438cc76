import type { Hash } from './merkle.ts'

/** Where lines stop being those that were signed, and what became of the first that is not. */
export type Difference = { readonly position: number; readonly message: string }

/** Compares the lines' hashes as signed with those found; `undefined` when they are the same. */
export function findDifference(signed: readonly Hash[], found: readonly Hash[]): Difference | undefined {
  const length = Math.max(signed.length, found.length)
  for (let position = 0; position < length; position++) {
    const [was, is] = [signed[position], found[position]]
    if (was === undefined) return { position, message: 'was inserted: nobody signed for it' }
    if (is === undefined) return { position, message: 'is missing: the line that was signed is gone' }
    if (was !== is) return { position, message: describe(signed, found, was, is) }
  }
  return undefined
}

function describe(signed: readonly Hash[], found: readonly Hash[], was: Hash, is: Hash): string {
  const isElsewhere = found.includes(was)
  const isKnown = signed.includes(is)
  if (isElsewhere && isKnown) return 'was reordered: it stood at another place when it was signed'
  if (isElsewhere) return 'was inserted: nobody signed for it'
  if (isKnown) return 'stands where another line was removed'
  return 'was changed: it is not what was signed'
}
