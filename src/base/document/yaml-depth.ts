import type { CST } from 'yaml'

/** Far deeper than handwritten files. The library composes recursively, and a stack overflow would end the process. */
export const maxDepth = 100

type Waiting = { readonly token: CST.Token; readonly depth: number }

/** Returns the offset where tokens are nested too deeply to be composed; `undefined` if nowhere. */
export function tooDeepAt(tokens: readonly CST.Token[]): number | undefined {
  const waiting: Waiting[] = tokens.map((token) => ({ token, depth: 0 }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { token, depth } = next
    if (depth > maxDepth) return token.offset
    for (const inner of partsOf(token)) waiting.push({ token: inner, depth: depth + 1 })
  }
  return undefined
}

function partsOf(token: CST.Token): readonly CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value]
  if (!('items' in token)) return []
  return token.items.flatMap((item) =>
    ['key', 'value'].flatMap((name) => {
      const part = name === 'key' ? item.key : item.value
      return part === undefined || part === null ? [] : [part]
    }),
  )
}
