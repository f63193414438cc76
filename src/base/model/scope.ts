import { type Invalid, invalid } from './invalid.ts'

const scopePattern = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** Parses a `scope` claim (RFC 6749 §3.3) into distinct scopes. The empty text is the empty set. */
export function parseScopes(text: string): readonly string[] | Invalid {
  const scopes = text === '' ? [] : text.split(' ')
  return scopes.every((scope) => scopePattern.test(scope))
    ? [...new Set(scopes)]
    : invalid('scope: expected visible ASCII words, one space between two')
}
