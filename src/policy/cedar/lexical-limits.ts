const maxNesting = 32
// The engine's stack bears 173 nested `if` or 188 sums once V8 has optimized it, and what calls it takes some of that.
const maxOperators = 150
const operatorsOfIf = 2
const maxBytes = 65_536
// What stands inside strings and comments nests nothing.
const token = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|[([{]|[)\]}]|;|&&|\|\||[.+*<>!=-]|\bhas\b|\bin\b|\blike\b|\bif\b/g

/** Where a text is larger or deeper than what reads it can bear; `offset` counts UTF-16 units. */
export type LimitExceeded = { readonly offset: number; readonly message: string }

/** Where a Cedar text is deeper than the engine's stack can bear (it has no guard on wasm32), or `undefined`. */
export function exceedsLexicalLimits(text: string): LimitExceeded | undefined {
  if (Buffer.byteLength(text) > maxBytes) {
    return { offset: 0, message: `expected at most ${maxBytes} bytes a file; split it` }
  }
  let depth = 0
  let operators = 0
  for (const match of text.matchAll(token)) {
    const [found] = match
    if (found.startsWith('"') || found.startsWith('//')) continue
    if ('([{'.includes(found)) depth++
    else if (')]}'.includes(found)) depth--
    else if (found === ';') operators = 0
    else operators += found === 'if' ? operatorsOfIf : 1
    if (depth > maxNesting)
      return { offset: match.index, message: `expected at most ${maxNesting} nested brackets` }
    if (operators > maxOperators) {
      return {
        offset: match.index,
        message: `expected at most ${maxOperators} operators in one policy; split it`,
      }
    }
  }
  return undefined
}

const jsonToken = /"(?:[^"\\]|\\.)*"|[[{\]}]/g

/** Where a JSON text nests deeper than Cedar reads it, or `undefined`. */
export function exceedsJsonLimits(text: string): LimitExceeded | undefined {
  let depth = 0
  for (const { 0: found, index } of text.matchAll(jsonToken)) {
    if (found === '[' || found === '{') depth++
    else if (found === ']' || found === '}') depth--
    if (depth > maxNesting)
      return { offset: index, message: `expected at most ${maxNesting} levels of objects and lists` }
  }
  return undefined
}
