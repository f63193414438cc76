import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { toFlatString } from './flat-string.ts'

/** The options of a cached function. */
export type RememberOptions<A, R> = {
  readonly maxEntries: number
  /** The maximum total size, and the size of one entry. Without it only the number of entries is bounded. */
  readonly room?: { readonly maxBytes: number; readonly bytesOf: (argument: A, result: R) => number }
  /** The unambiguous key of an argument; if it covers only a part, `isSame` compares the rest. */
  readonly keyOf: (argument: A) => string
  /** For keys that cover only a part of the argument: true if two arguments with one key are the same. */
  readonly isSame?: (one: A, other: A) => boolean
  /** True if the result may be cached. Faults never may. */
  readonly isWorth: (result: R) => boolean
}

/** Caches the results of a pure function. The returned function has the same type and results. */
export function remember<A, R extends object>(
  ask: (argument: A) => R,
  options: RememberOptions<A, R>,
): (argument: A) => R {
  const { keyOf, isWorth } = options
  const memory = createMemory(options)
  return (argument) => {
    const key = keyOf(argument)
    const known = memory.find(key, argument)
    if (known !== undefined) return known
    const result = ask(argument)
    if (isWorth(result)) memory.keep(key, argument, result)
    return result
  }
}

/** Caches only the last result, for arguments that stay the same objects until something changes. */
export function rememberLatest<A extends readonly unknown[], R>(
  make: (...given: A) => R,
): (...given: A) => R {
  let latest: { readonly given: A; readonly made: R } | undefined
  return (...given) => {
    if (latest === undefined || !isSameList(latest.given, given)) latest = { given, made: make(...given) }
    return latest.made
  }
}

/** Caches one result for each object, as long as the object lives. */
export function rememberEach<A extends object, R>(make: (argument: A) => R): (argument: A) => R {
  const answers = new WeakMap<A, { readonly made: R }>()
  return (argument) => {
    const known = answers.get(argument)
    if (known !== undefined) return known.made
    const made = make(argument)
    answers.set(argument, { made })
    return made
  }
}

/** Shortens a key to a 32-byte digest. Finding two keys with one digest is infeasible. */
export function digestKey(key: string): string {
  return hash('sha256', key, 'base64')
}

type Memory<A, R> = {
  readonly find: (key: string, argument: A) => R | undefined
  readonly keep: (key: string, argument: A, result: R) => void
}

function createMemory<A, R extends object>(options: RememberOptions<A, R>): Memory<A, R> {
  const { isSame } = options
  return isSame === undefined ? createPlainMemory(options) : createProvingMemory(options, isSame)
}

/** The key covers the whole argument, so an entry holds only the result. */
function createPlainMemory<A, R extends object>({ maxEntries, room }: RememberOptions<A, R>): Memory<A, R> {
  const entries = new LRUCache<string, R>({ max: maxEntries, ...(room && { maxSize: room.maxBytes }) })
  return {
    find: (key) => entries.get(key),
    keep: (key, argument, result) =>
      void entries.set(toFlatString(key), result, sizeOf(room, argument, result)),
  }
}

type Entry<A, R> = { readonly argument: A; readonly result: R }

function createProvingMemory<A, R extends object>(
  { maxEntries, room }: RememberOptions<A, R>,
  isSame: (one: A, other: A) => boolean,
): Memory<A, R> {
  const entries = new LRUCache<string, Entry<A, R>>({
    max: maxEntries,
    ...(room && { maxSize: room.maxBytes }),
  })
  return {
    find(key, argument) {
      const entry = entries.get(key)
      return entry !== undefined && isSame(entry.argument, argument) ? entry.result : undefined
    },
    keep: (key, argument, result) =>
      void entries.set(key, { argument, result }, sizeOf(room, argument, result)),
  }
}

function sizeOf<A, R>(
  room: RememberOptions<A, R>['room'],
  argument: A,
  result: R,
): { readonly size?: number } {
  return room === undefined ? noSize : { size: Math.ceil(room.bytesOf(argument, result)) }
}

const noSize = {}

function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false
  return true
}
