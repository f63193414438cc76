import * as v from 'valibot'
import { parseDurationMs } from '../model/duration.ts'
import type { WithoutKind } from '../model/failure.ts'
import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'
import { show } from '../text/show.ts'

/** A schema for one handwritten value. Its metadata describe the expectation; `issue.ts` describes the finding. */
export type Value<T> = v.GenericSchema<unknown, T>

/** Non-empty text. */
export const text: Value<string> = v.pipe(v.string(), v.nonEmpty())

/** True or false. */
export const flag: Value<boolean> = v.boolean()

/** Text that matches a pattern. */
export function matching(pattern: RegExp, expected: string): Value<string> {
  return v.pipe(v.string(), v.regex(pattern), v.metadata({ expected }))
}

/** A list of items. */
export function list<T>(item: Value<T>): Value<T[]> {
  return v.array(item)
}

/** A non-empty list; `expected` names its items. */
export function someOf<T>(item: Value<T>, expected: string): Value<T[]> {
  return v.pipe(v.array(item), v.minLength(1), v.metadata({ expected }))
}

/** Values by freely chosen names. */
export function recordOf<T>(value: Value<T>): Value<Record<string, T>> {
  return v.record(v.string(), value)
}

/** One of several words. */
export function choice<const T extends string>(...options: readonly T[]): Value<T> {
  return v.picklist(options)
}

/** An integer within inclusive bounds. */
export function integer(least: number, most: number): Value<number> {
  const expected = `a whole number from ${least} to ${most}`
  return v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most), v.metadata({ expected }))
}

/** A share from 0 to 1. */
export const share: Value<number> = v.pipe(
  v.number(),
  v.minValue(0),
  v.maxValue(1),
  v.metadata({ expected: 'a number from 0 to 1' }),
)

/** A share above 0, at most 1. */
export const someShare: Value<number> = v.pipe(
  v.number(),
  v.gtValue(0),
  v.maxValue(1),
  v.metadata({ expected: 'a number above 0 and at most 1' }),
)

/** A duration with its unit, within bounds, in milliseconds. The example uses a suitable unit. */
export function duration(least: string, most: string, example = '5m'): Value<number> {
  const [leastMs, mostMs] = [parseDurationMs(least), parseDurationMs(most)]
  const expected = `a duration with its unit, such as ${show(example)}`
  const parse = (input: string): number | Invalid => {
    const ms = parseDurationMs(input)
    if (isInvalid(ms)) return invalid(`expected ${expected}, found ${show(input)}`)
    if (ms >= Number(leastMs) && ms <= Number(mostMs)) return ms
    return invalid(`expected a duration from ${least} to ${most}, found ${show(input)}`)
  }
  return v.pipe(parsed(parse, example), v.metadata({ expected }))
}

/** A size with its unit, within bounds, in bytes. */
export function size(least: string, most: string): Value<number> {
  const [leastBytes, mostBytes] = [parseSizeBytes(least), parseSizeBytes(most)]
  const parse = (input: string): number | Invalid => {
    const bytes = parseSizeBytes(input)
    if (isInvalid(bytes) || (bytes >= Number(leastBytes) && bytes <= Number(mostBytes))) return bytes
    return invalid(`expected a size from ${least} to ${most}, found ${show(input)}`)
  }
  const expected = 'a size with its unit, such as `64MiB`'
  return v.pipe(parsed(parse, '64MiB'), v.metadata({ expected }))
}

/** Parses a size (`512B`, `4KiB`, `64MiB`, `1GiB`) into bytes. */
export function parseSizeBytes(input: string): number | Invalid {
  const [, digits, unit] = /^(\d{1,6})(B|KiB|MiB|GiB)$/.exec(input) ?? []
  const power = ['B', 'KiB', 'MiB', 'GiB'].indexOf(unit ?? '')
  if (digits === undefined || power === -1)
    return invalid(`expected a size such as \`4KiB\` or \`64MiB\`, found ${show(input)}`)
  return Number(digits) * 1024 ** power
}

/** Text that one of our parsers converts. The parser's message says what is wrong. */
export function parsed<T extends WithoutKind>(
  parse: (input: string) => T | Invalid,
  example: string,
): Value<T> {
  return v.pipe(
    v.string(),
    v.examples([example]),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const value = parse(dataset.value)
      if (!isInvalid(value)) return value
      addIssue({ message: value.reason })
      return NEVER
    }),
  )
}

/** Text that one of our parsers accepts unchanged. The parser's message says what is wrong. */
export function checked(refuse: (input: string) => Invalid | undefined): Value<string> {
  return v.pipe(
    v.string(),
    v.nonEmpty(),
    v.rawCheck(({ dataset, addIssue }) => {
      const refusal = dataset.typed && dataset.value !== '' ? refuse(dataset.value) : undefined
      if (refusal !== undefined) addIssue({ message: refusal.reason })
    }),
  )
}

/** Adds a description to a schema. Hints about missing keys and the JSON Schema show it. */
export function about<const S extends v.GenericSchema>(
  schema: S,
  description: string,
): v.SchemaWithPipe<readonly [S, v.DescriptionAction<v.InferOutput<S>, string>]> {
  return v.pipe(schema, v.description(description))
}
