const maxNesting = 32
const maxOperators = 200
const maxBytes = 65_536
// What stands inside strings and comments nests nothing.
const token = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|[([{]|[)\]}]|;|&&|\|\||[.+*<>!=-]|\bhas\b|\bin\b|\blike\b/g

/** Where a Cedar text is deeper than the engine's stack can bear (it has no guard on wasm32), or `undefined`. */
export function exceedsLexicalLimits(
  text: string,
): { readonly offset: number; readonly message: string } | undefined {
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
    else operators++
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
