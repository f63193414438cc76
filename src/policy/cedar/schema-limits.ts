import { groupByAll } from '../../base/collections/group-by.ts'
import type { LimitExceeded } from './lexical-limits.ts'

const maxBytes = 256 * 1024
const maxNesting = 32
/**
 * The maximum number of direct and indirect references of one declaration. A long line or a circle of references
 * overflows the engine's stack.
 */
const maxReferences = { entity: 64, action: 64, type: 256 } as const

type Keyword = keyof typeof maxReferences
type Token = { readonly text: string; readonly offset: number }

/** A declaration of `entity`, `action` or `type`, and its direct references. */
type Declaration = {
  readonly keyword: Keyword
  readonly names: readonly string[]
  readonly references: readonly string[]
  readonly offset: number
}

// Strings and comments contain neither nesting nor references.
const tokenPattern = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\w+|[{}()[\]<>,;:=@?]/g
/** Tokens that end a list of names or of parents. */
const ends: ReadonlySet<string> = new Set(['in', '{', '=', ';', 'tags', 'enum', 'appliesTo', 'attributes'])

/** Returns where a schema in Cedar's syntax exceeds the limits of the engine's stack. */
export function exceedsSchemaLimits(text: string): LimitExceeded | undefined {
  const bytes = Buffer.byteLength(text)
  if (bytes > maxBytes) {
    return { offset: 0, message: `expected a schema of at most ${maxBytes} bytes, found ${bytes}` }
  }
  const tokens = tokensOf(text)
  return findDeepest(tokens) ?? findLongLine(declarationsOf(tokens))
}

function tokensOf(text: string): readonly Token[] {
  return [...text.matchAll(tokenPattern)].flatMap(({ 0: found, index }) =>
    found.startsWith('//') ? [] : [{ text: found, offset: index }],
  )
}

function findDeepest(tokens: readonly Token[]): LimitExceeded | undefined {
  let depth = 0
  for (const { text, offset } of tokens) {
    if ('{([<'.includes(text)) depth++
    else if ('})]>'.includes(text)) depth--
    if (depth > maxNesting) return { offset, message: `expected at most ${maxNesting} nested brackets` }
  }
  return undefined
}

/**
 * Reads declarations, even of an invalid schema. Names lose their namespaces, so two types with one name count as one.
 * That can only lengthen a line of references.
 */
function declarationsOf(tokens: readonly Token[]): readonly Declaration[] {
  const declarations: Declaration[] = []
  for (let at = 0; at < tokens.length; at++) {
    const { text = '', offset = 0 } = tokens[at] ?? {}
    if (!isKeyword(text)) continue
    const end = endOf(tokens, at)
    const words = tokens.slice(at + 1, end).map((token) => token.text)
    declarations.push({ keyword: text, offset, ...(text === 'type' ? readType(words) : readFamily(words)) })
    at = end
  }
  return declarations
}

/** Returns the `;` that ends a declaration. */
function endOf(tokens: readonly Token[], start: number): number {
  let at = start
  while (at < tokens.length && tokens[at]?.text !== ';') at++
  return at
}

function isKeyword(text: string): text is Keyword {
  return Object.hasOwn(maxReferences, text)
}

/** `Name = type`: it refers to every word except attribute names. */
function readType(words: readonly string[]): Pick<Declaration, 'names' | 'references'> {
  const references = words.slice(2).filter((word, index, all) => {
    const after = all[index + 1] === '?' ? all[index + 2] : all[index + 1]
    // `a: T` and `a?: T`, but `A::T` is one name.
    return isName(word) && (after !== ':' || all[index + 2] === ':')
  })
  return { names: words.slice(0, 1), references: references.map(bare) }
}

/** `A, B in [C, D] {…}`: it refers to its parents. */
function readFamily(words: readonly string[]): Pick<Declaration, 'names' | 'references'> {
  const namesEnd = words.findIndex((word) => ends.has(word))
  const names = namesEnd === -1 ? words : words.slice(0, namesEnd)
  const parents = words[namesEnd] === 'in' ? words.slice(namesEnd + 1) : []
  const parentsEnd = parents.findIndex((word) => ends.has(word))
  const references = parentsEnd === -1 ? parents : parents.slice(0, parentsEnd)
  return { names: names.filter(isName).map(bare), references: references.filter(isName).map(bare) }
}

function isName(word: string): boolean {
  return /^["\w]/.test(word)
}

/** An action may be quoted or not. */
function bare(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1) : word
}

function findLongLine(declarations: readonly Declaration[]): LimitExceeded | undefined {
  const byName = groupByAll(declarations, ({ keyword, names }) => names.map((name) => keyOf(keyword, name)))
  for (const { keyword, names, offset } of declarations) {
    const max = maxReferences[keyword]
    const long = names.find((name) => reachesMore(keyword, name, byName, max))
    if (long === undefined) continue
    const what = keyword === 'type' ? 'types within it' : 'above it'
    return {
      offset,
      message: `${keyword} \`${long}\`: expected at most ${max} ${what}, counted over all steps`,
    }
  }
  return undefined
}

/** True if more than `max` others are reachable from a name. It stops there, so that its time is bounded. */
function reachesMore(
  keyword: Keyword,
  start: string,
  byName: ReadonlyMap<string, readonly Declaration[]>,
  max: number,
): boolean {
  const reached = new Set([start])
  for (const name of reached) {
    for (const { references } of byName.get(keyOf(keyword, name)) ?? []) {
      for (const other of references) {
        reached.add(other)
        if (reached.size > max + 1) return true
      }
    }
  }
  return false
}

function keyOf(keyword: Keyword, name: string): string {
  return `${keyword} ${name}`
}
