/** The names in a PromQL expression. */
export type PromqlNames = {
  readonly metrics: readonly string[]
  /** Labels that it matches, groups or joins by. */
  readonly labels: readonly string[]
  readonly matchers: readonly { readonly label: string; readonly value: string }[]
}

type Token = { readonly kind: 'text' | 'duration' | 'number' | 'name' | 'sign'; readonly text: string }

const tokenPatterns: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /^(?:\s+|#[^\n]*)/],
  ['text', /^(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')/],
  ['duration', /^(?:\d+(?:ms|[smhdwy]))+/],
  ['number', /^\d+(?:\.\d+)?(?:e[+-]?\d+)?/],
  ['name', /^[A-Za-z_:][\w:]*/],
  ['sign', /^(?:=~|!~|!=|==|>=|<=|[-+*/%^(){}[\],=<>])/],
]
const aggregations = new Set(['sum', 'count', 'min', 'max', 'avg'])
const functions = new Set(['rate', 'increase', 'histogram_quantile', 'absent', 'time'])
const operators = new Set('+ - * / % ^ == != > < >= <= and or unless'.split(' '))

/** Parses the part of PromQL that our dashboard and rules use; throws a `SyntaxError` for all else. */
export function parsePromql(text: string): PromqlNames {
  return new Parser(tokenize(text)).parse()
}

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  let rest = text
  while (rest !== '') {
    const found = tokenPatterns.flatMap(([kind, pattern]) => {
      const [match] = pattern.exec(rest) ?? []
      return match === undefined ? [] : [{ kind, text: match }]
    })
    const [token] = found
    if (token === undefined) throw new SyntaxError(`no token begins at \`${rest}\``)
    if (token.kind !== 'space') tokens.push({ kind: token.kind, text: token.text })
    rest = rest.slice(token.text.length)
  }
  return tokens
}

/** Reads tokens from left to right; precedence does not matter to who only asks whether it parses. */
class Parser {
  readonly #tokens: readonly Token[]
  readonly #metrics = new Set<string>()
  readonly #labels = new Set<string>()
  readonly #matchers: { readonly label: string; readonly value: string }[] = []
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  parse(): PromqlNames {
    this.#expression()
    if (this.#at < this.#tokens.length) this.#fail('the end')
    return { metrics: [...this.#metrics], labels: [...this.#labels], matchers: this.#matchers }
  }

  #expression(): void {
    this.#operand()
    while (operators.has(this.#peek().text)) {
      this.#at++
      if (this.#take('on') || this.#take('ignoring')) this.#labelList()
      this.#operand()
    }
  }

  #operand(): void {
    const { kind, text } = this.#peek()
    this.#at++
    if (kind === 'number') return
    if (text === '(') {
      this.#expression()
      this.#expect(')')
    } else if (aggregations.has(text)) {
      if (this.#take('by') || this.#take('without')) this.#labelList()
      this.#arguments()
    } else if (functions.has(text)) this.#arguments()
    else if (kind === 'name' && !operators.has(text)) this.#selector(text)
    else {
      this.#at--
      this.#fail('an operand')
    }
    if (this.#take('offset')) this.#expectKind('duration')
  }

  #selector(metric: string): void {
    this.#metrics.add(metric)
    if (this.#take('{')) {
      while (!this.#take('}')) {
        const label = this.#expectKind('name')
        if (!['=', '!=', '=~', '!~'].some((sign) => this.#take(sign))) this.#fail('a matcher')
        this.#labels.add(label)
        this.#matchers.push({ label, value: this.#expectKind('text').slice(1, -1) })
        if (this.#peek().text !== '}') this.#expect(',')
      }
    }
    if (this.#take('[')) {
      this.#expectKind('duration')
      this.#expect(']')
    }
  }

  #arguments(): void {
    this.#expect('(')
    if (this.#take(')')) return
    do this.#expression()
    while (this.#take(','))
    this.#expect(')')
  }

  #labelList(): void {
    this.#expect('(')
    do this.#labels.add(this.#expectKind('name'))
    while (this.#take(','))
    this.#expect(')')
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'sign', text: '' }
  }

  #take(text: string): boolean {
    if (this.#peek().text !== text) return false
    this.#at++
    return true
  }

  #expect(text: string): void {
    if (!this.#take(text)) this.#fail(`\`${text}\``)
  }

  #expectKind(kind: Token['kind']): string {
    const token = this.#peek()
    if (token.kind !== kind) this.#fail(`a ${kind}`)
    this.#at++
    return token.text
  }

  #fail(expected: string): never {
    throw new SyntaxError(`token ${this.#at + 1}: expected ${expected}, found \`${this.#peek().text}\``)
  }
}
