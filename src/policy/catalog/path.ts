import { type Deny, deny } from '../../base/model/decision.ts'

/** A request path that every parser reads alike: without query, decoded exactly once, as a whole and by segment. */
export type RequestPath = { readonly path: string; readonly segments: readonly string[] }

const maxLength = 8192
// Everything but RFC 3986 pchar, `/`, and `[` and `]`, which clients and Envoy leave unescaped. `;` is a pchar, but some
// servers read matrix parameters after it.
const oddCharacter = /[^A-Za-z0-9\-._~!$&'()*+,=:@%/[\]]/u
const escapedUnreserved = /%(?:2d|2e|5f|7e|3\d|4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a])/i
const escapedSeparatorOrPercent = /%(?:2f|5c|3b|25[0-9a-f]{2})/i
const badEscape = /%(?![0-9a-f]{2})/i
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not pass
const controlCharacter = /[\u0000-\u001f\u007f]/

/**
 * Splits a request target at its first `?` and refuses every path that two parsers could read differently
 * (CVE-2026-26205, CVE-2021-29492). It must not use a URL parser, which reads `//admin` as a host.
 */
export function parseRequestPath(target: string): RequestPath | Deny {
  const path = pathOf(target)
  if (path.length > maxLength)
    return ambiguous(`expected at most ${maxLength} characters, found ${path.length}`)
  const fault = faultOf(path)
  if (fault !== undefined) return ambiguous(fault)
  const segments: string[] = []
  for (const segment of path.slice(1).split('/')) {
    const decoded = decodeSegment(segment)
    if (decoded === undefined) return ambiguous('expected escapes of UTF-8 text without control characters')
    segments.push(decoded)
  }
  // No segment contains a separator, so the decoded path is unambiguous. `join` makes a flat string.
  return { path: ['', ...segments].join('/'), segments }
}

/** Returns the request target without its query. */
export function pathOf(target: string): string {
  const question = target.indexOf('?')
  return question === -1 ? target : target.slice(0, question)
}

function faultOf(path: string): string | undefined {
  if (path.includes('//')) return 'found `//`'
  if (badEscape.test(path)) return 'found `%` without two hexadecimal digits'
  if (!path.startsWith('/')) return 'expected it to begin with `/`'
  const [odd] = oddCharacter.exec(path) ?? []
  if (odd !== undefined) return `found ${nameOf(odd)}`
  if (escapedSeparatorOrPercent.test(path)) return 'found an escaped separator or a doubly escaped character'
  if (escapedUnreserved.test(path)) return 'found an escape of a character that needs none'
  if (/\/\.{1,2}(?:\/|$)/.test(path)) return 'found a `.` or `..` segment'
  return undefined
}

function nameOf(character: string): string {
  if (character === ';') return '`;`, after which some servers read parameters'
  if (character === '\\') return '`\\`, which some servers take for `/`'
  const code = character.codePointAt(0) ?? 0
  return code > 0x20 && code < 0x7f
    ? `\`${character}\`, which a path escapes as \`${encodeURIComponent(character)}\``
    : `U+${code.toString(16).toUpperCase().padStart(4, '0')}, which a path escapes`
}

function decodeSegment(segment: string): string | undefined {
  try {
    const decoded = decodeURIComponent(segment)
    return controlCharacter.test(decoded) ? undefined : decoded
  } catch {
    return undefined
  }
}

function ambiguous(reason: string): Deny {
  return deny('path_ambiguous', `path: ${reason}`)
}
