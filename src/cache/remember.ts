import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** How much is remembered, and of what. */
export type RememberOptions<A, R> = {
  readonly maxEntries: number
  /** Everything that the answer depends on, unambiguously; hashed before it is kept. */
  readonly keyOf: (argument: A) => string
  /** A fault is never remembered. */
  readonly isWorth: (result: R) => boolean
}

/** Remembers a pure function's answers; the function that comes back has the same type and the same answers. */
export function remember<A, R extends object>(
  ask: (argument: A) => R,
  { maxEntries, keyOf, isWorth }: RememberOptions<A, R>,
): (argument: A) => R {
  const answers = new LRUCache<string, R>({ max: maxEntries })
  return (argument) => {
    const key = digest(keyOf(argument))
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = ask(argument)
    if (isWorth(answer)) answers.set(key, answer)
    return answer
  }
}

/** Also for how long: an answer that is not fresh any more for this argument is asked for anew. */
export type RememberAsyncOptions<A, R> = RememberOptions<A, R> & {
  readonly isFresh?: (result: R, argument: A) => boolean
}

/** As `remember`, for a function that waits: those who ask the same at once wait for one answer. */
export function rememberAsync<A, R extends object>(
  ask: (argument: A) => Promise<R>,
  { maxEntries, keyOf, isWorth, isFresh = () => true }: RememberAsyncOptions<A, R>,
): (argument: A) => Promise<R> {
  const answers = new LRUCache<string, { readonly answer: Promise<R>; settled: R | undefined }>({
    max: maxEntries,
  })
  return (argument) => {
    const key = digest(keyOf(argument))
    const known = answers.get(key)
    const isUsable = known !== undefined && (known.settled === undefined || isFresh(known.settled, argument))
    if (isUsable) return known.answer
    const entry = { answer: ask(argument), settled: undefined as R | undefined }
    const forget = () => {
      if (answers.peek(key) === entry) answers.delete(key)
    }
    answers.set(key, entry)
    entry.answer.then((settled) => {
      entry.settled = settled
      if (!isWorth(settled)) forget()
    }, forget)
    return entry.answer
  }
}

/** Remembers the last answer alone, for arguments that stay the same objects until something changes. */
export function rememberLatest<A extends readonly unknown[], R>(
  make: (...given: A) => R,
): (...given: A) => R {
  let latest: { readonly given: A; readonly made: R } | undefined
  return (...given) => {
    const isSame = latest?.given.every((value, index) => value === given[index]) === true
    if (latest === undefined || !isSame) latest = { given, made: make(...given) }
    return latest.made
  }
}

/** 32 bytes however long the key is, and nobody finds two keys with one digest. */
function digest(key: string): string {
  return createHash('sha256').update(key).digest('base64')
}
