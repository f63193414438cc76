import { isJsonObject, type JsonObject, type JsonValue } from '../jws/json.ts'

/** The top-level claim that a path begins with. */
export function firstOf(path: string): string {
  return segmentsOf(path)[0] ?? path
}

/**
 * Reads a claim by its name, or by a JSON Pointer (RFC 6901) such as `/realm_access/roles`. Only objects have members:
 * `blocked` is a value on the way that is none, which never means that the claim is absent.
 */
export function readClaimAt(
  claims: JsonObject,
  path: string,
): { readonly kind: 'claim'; readonly value: JsonValue } | { readonly kind: 'absent' | 'blocked' } {
  let value: JsonValue = claims
  for (const segment of segmentsOf(path)) {
    if (!isJsonObject(value)) return { kind: 'blocked' }
    const next = value.get(segment)
    if (next === undefined) return { kind: 'absent' }
    value = next
  }
  return { kind: 'claim', value }
}

function segmentsOf(path: string): readonly string[] {
  if (!path.startsWith('/')) return [path]
  return path
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
}
