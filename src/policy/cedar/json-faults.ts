import { type Problem, positionAt } from '../../base/document/problem.ts'

/**
 * Finds ambiguities of a JSON text. Of two members with one name `JSON.parse` takes the last, other readers the first.
 */
export function findJsonFault(file: string, text: string): Problem | undefined {
  // Invalid JSON is refused by its reader.
  if (!isJson(text)) return undefined
  // The member names of each enclosing object; an array has none.
  const around: (Set<string> | undefined)[] = []
  let isName = false
  for (const { 0: token, index } of text.matchAll(tokens)) {
    switch (token) {
      case '{':
      case '[':
        around.push(token === '{' ? new Set() : undefined)
        isName = token === '{'
        break
      case '}':
      case ']':
        around.pop()
        break
      case ',':
        isName = around.at(-1) !== undefined
        break
      case ':':
        isName = false
        break
      default: {
        const value = String(JSON.parse(token))
        const names = isName ? around.at(-1) : undefined
        if (!value.isWellFormed())
          return { file, ...positionAt(text, index), message: `expected well-formed Unicode, found ${token}` }
        if (names?.has(value) === true)
          return {
            file,
            ...positionAt(text, index),
            message: `${token} stands twice in one object; remove one`,
          }
        names?.add(value)
      }
    }
  }
  return undefined
}

const tokens = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
