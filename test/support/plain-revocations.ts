import { isInvalid } from '../../src/base/model/invalid.ts'
import { parseSpiffeId } from '../../src/base/model/spiffe-id.ts'
import { isJsonObject, type JsonValue, parseStrictJson } from '../../src/decision/jws/json.ts'

const kinds = ['actor', 'user', 'txn', 'jti']

/** Reads a revocations file whole, as simply as can be: its entries as `kind id`, or nothing when anything is wrong with it. */
export function readPlainly(text: string): ReadonlyMap<string, number> | undefined {
  const file = parseStrictJson(text)
  if (isInvalid(file)) return undefined
  const entries = file.get('entries')
  if (file.get('version') !== 1 || !Array.isArray(entries) || file.size !== 2) return undefined
  const found = new Map<string, number>()
  for (const item of entries) {
    const entry = readEntry(item)
    if (entry === undefined) return undefined
    const [name, notBefore] = entry
    found.set(name, Math.max(notBefore, found.get(name) ?? 0))
  }
  return found
}

function readEntry(entry: JsonValue): readonly [string, number] | undefined {
  if (!isJsonObject(entry)) return undefined
  const [kind, ...others] = kinds.filter((name) => entry.has(name))
  if (kind === undefined) return undefined
  const id = entry.get(kind)
  const notBefore = entry.has('not_before') ? entry.get('not_before') : Number.POSITIVE_INFINITY
  const isKnown = [...entry.keys()].every((name) => name === kind || name === 'not_before')
  if (others.length > 0 || !isKnown || typeof id !== 'string' || typeof notBefore !== 'number')
    return undefined
  if (entry.has('not_before') && !(notBefore >= 0 && notBefore < 1e11)) return undefined
  if (kind === 'actor' ? isInvalid(parseSpiffeId(id)) : id === '') return undefined
  if (kind === 'user' && !/^[^/]+\/./u.test(id)) return undefined
  return [`${kind} ${id}`, notBefore]
}
