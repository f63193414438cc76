import { show } from '../text/show.ts'

const explanations: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'found a tab where the line is indented; indent with spaces alone',
  DUPLICATE_KEY: 'this key occurs twice; keep one of them',
  MULTIPLE_DOCS: 'a second document begins here; keep one in the file',
  MULTILINE_IMPLICIT_KEY:
    'expected `key: value`, found a line without a key; perhaps the space after `:` is missing',
  BLOCK_AS_IMPLICIT_KEY: 'found a second `: ` on this line; write a value that has `: ` in it between quotes',
  NON_STRING_KEY: 'expected text as a key; write it between quotes',
  TAG_RESOLVE_FAILED: 'found a tag (`!…`), which has no meaning here; remove it',
}

/** Explains a YAML syntax error and the remedy. `code` and `message` are the library's. */
export function explainYamlFault(code: string, message: string, line: string, column: number): string {
  const found = line.slice(column - 1, column)
  switch (code) {
    case 'BAD_SCALAR_START':
    case 'BAD_ALIAS':
      return `a value cannot begin with \`${found}\`; write it between quotes: ${quoted(plainValueAt(line, column))}`
    case 'BLOCK_IN_FLOW':
      return `a value with a colon before a bracket needs quotes: ${quoted(plainValueAt(line, column))}`
    case 'UNKNOWN_ALIAS':
      return `\`*${message}\` names an anchor that is not there; write a value that begins with \`*\` between quotes`
    case 'UNEXPECTED_TOKEN':
      return explainToken(line, column)
    case 'BAD_INDENT':
      return message.startsWith('Flow')
        ? 'a `[` or `{` above is not closed, or this line is indented less than what holds it'
        : 'expected this line to begin in the same column as its neighbours'
    default:
      return explanations[code] ?? message.charAt(0).toLowerCase() + message.slice(1)
  }
}

/** The usual cause is an unquoted path with `{parameters}` inside of `{…}`, or a quote inside of quotes. */
function explainToken(line: string, column: number): string {
  const found = show(line.slice(column - 1).trim())
  const value = plainValueAt(line, column)
  if (/[{}[\]]/.test(line.slice(column - 1, column)) && value !== '')
    return `a value with brackets needs quotes: ${quoted(value)}`
  return `expected the value to end before ${found}; write the whole value between quotes, and a quote inside of it twice`
}

/** Returns the value around a column, between the nearest delimiters. */
function plainValueAt(line: string, column: number): string {
  const head =
    line
      .slice(0, column - 1)
      .split(/[[{,]|:\s|^\s*-\s/)
      .at(-1) ?? ''
  const [tail = ''] = /^(?:\{[^{}]*\}|\[[^[\]]*\]|[^,{}[\]#])+/.exec(line.slice(column - 1)) ?? []
  return `${head}${tail}`.trim()
}

function quoted(value: string): string {
  return `\`'${value.replaceAll("'", "''")}'\``
}
