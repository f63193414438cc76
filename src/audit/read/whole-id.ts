import { type Invalid, invalid } from '../../base/model/invalid.ts'
import { type Query, readRecords } from './query.ts'

/** The start of a decision id; a whole id has 36 characters. */
const beginning = /^[\da-f]{4}[\da-f-]{0,31}$/
const maxNamed = 5
const stdin = '-'

/**
 * Completes the start of an id, as Git completes a commit. A text that is no such start is returned unchanged. Standard
 * input can be read only once, so it is not searched.
 */
export async function findWholeId(
  paths: readonly string[],
  given: string,
  keys: Query['keys'],
  kinds: readonly ('decisionId' | 'txn')[] = ['decisionId'],
): Promise<string | Invalid> {
  if (!beginning.test(given) || paths.includes(stdin)) return given
  const ids = new Set<string>()
  for await (const line of readRecords(paths, { mentions: [given], keys })) {
    if (line.kind !== 'record') continue
    for (const kind of kinds) {
      const id = line.record[kind]
      if (id?.startsWith(given) === true) ids.add(id)
    }
  }
  if (ids.has(given)) return given
  const [first, ...others] = [...ids].sort()
  if (first === undefined || others.length === 0) return first ?? given
  const named = [first, ...others].slice(0, maxNamed).map((id) => `\`${id}\``)
  const more = ids.size > maxNamed ? ` and ${ids.size - maxNamed} more` : ''
  return invalid(`\`${given}\` begins ${ids.size} ids, ${named.join(', ')}${more}: write more of it`)
}
