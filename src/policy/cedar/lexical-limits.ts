const maxNesting = 32
// The engine's stack overflows at 173 nested `if` or 188 sums when V8 has optimized it, and its caller uses some of the
// stack.
const maxOperators = 150
const operatorsOfIf = 2
const maxBytes = 65_536
// Strings and comments are matched as a whole, because their content has no nesting.
const token = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|[([{]|[)\]}]|;|&&|\|\||[.+*<>!=-]|\bhas\b|\bin\b|\blike\b|\bif\b/g

/** Where a text exceeds a limit of its reader; `offset` counts UTF-16 units. */
export type LimitExceeded = { readonly offset: number; readonly message: string }

/** Returns where a Cedar text is nested deeper than the engine's stack allows, because it has no guard on wasm32. */
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

/** Returns where a JSON text is nested deeper than Cedar allows. */
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
