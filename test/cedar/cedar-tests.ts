import * as v from 'valibot'
import type { EntityUid } from '../../src/base/model/entity-uid.ts'
import { type Invalid, invalid, isInvalid } from '../../src/base/model/invalid.ts'
import { type CorpusAnswer, type CorpusRequest, runCorpus } from './cedar-corpus.ts'

/**
 * Adds the parts that the files of Cedar's tests lack: for Cedar's `run-tests`, policies and schema are named beside
 * them.
 */
export type CedarTestOptions = {
  readonly policies: string | undefined
  readonly schema: string | undefined
  /** Compare Cedar's own answer where ours denies on an evaluation error. */
  readonly hasCedarSemantics: boolean
  /** The text of a file that a test names; `undefined` when there is none. */
  readonly read: (path: string) => string | undefined
}

/** One request of a file, and what came out otherwise than it says. */
export type CedarTestResult = {
  readonly name: string
  readonly differences: readonly string[]
  /** Whether Cedar's own answer is another, since it passes over a forbid that cannot be evaluated. */
  readonly isStricter: boolean
}

const uid = v.union([
  v.object({ type: v.string(), id: v.string() }),
  v.pipe(
    v.string(),
    v.regex(/^(?:\w+::)*\w+::"(?:[^"\\]|\\.)*"$/),
    v.transform((text): EntityUid => {
      const split = text.indexOf('::"')
      return { type: text.slice(0, split), id: JSON.parse(text.slice(split + 2)) }
    }),
  ),
])
const decision = v.pipe(v.string(), v.toLowerCase(), v.picklist(['allow', 'deny']))
const names = v.optional(v.array(v.string()))
const context = v.optional(v.record(v.string(), v.unknown()), {})
const asked = { principal: uid, action: uid, resource: uid, context }

/** Cedar's command line, `cedar run-tests`. */
const runTests = v.array(
  v.object({
    name: v.optional(v.string()),
    request: v.object(asked),
    entities: v.union([v.array(v.unknown()), v.string()]),
    decision,
    reason: names,
    num_errors: v.optional(v.number(), 0),
  }),
)

const query = v.object({
  ...asked,
  description: v.optional(v.string()),
  desc: v.optional(v.string()),
  decision,
  reason: names,
  reasons: names,
  errors: names,
})

/** Cedar's integration tests. */
const integration = v.object({
  policies: v.string(),
  entities: v.string(),
  schema: v.optional(v.string()),
  shouldValidate: v.optional(v.boolean()),
  requests: v.optional(v.array(query), []),
  queries: v.optional(v.array(query), []),
})

type Expected = {
  readonly decision: 'allow' | 'deny'
  /** All of them, or for `run-tests` some. */
  readonly reasons: readonly string[]
  readonly isPartial: boolean
  readonly errors: number
}
type Parsed = {
  readonly policies: string
  readonly schema: string | undefined
  readonly isNamedById: boolean
  readonly shouldValidate: boolean | undefined
  readonly cases: readonly { readonly request: CorpusRequest; readonly expected: Expected }[]
}

/** Runs one file of Cedar's `run-tests` format or of its integration-test format through our engine. */
export function runCedarTests(text: string, options: CedarTestOptions): readonly CedarTestResult[] | Invalid {
  const parsed = parse(text, options)
  if (isInvalid(parsed)) return parsed
  const { cases, ...set } = parsed
  const ran = runCorpus({ ...set, requests: cases.map(({ request }) => request) })
  if (typeof ran === 'string') return invalid(ran)
  const results = cases.map(({ request: { name }, expected }, index): CedarTestResult => {
    const answer = ran.answers[index]
    if (answer === undefined) return { name, differences: ['no answer'], isStricter: false }
    const isStricter = answer.decision !== answer.cedarDecision
    return { name, differences: compare(expected, answer, options.hasCedarSemantics), isStricter }
  })
  if (set.shouldValidate === undefined || ran.isValid === undefined) return results
  const differences =
    set.shouldValidate === ran.isValid
      ? []
      : [`expected the policies to ${set.shouldValidate ? '' : 'not '}validate`]
  return [{ name: 'validation', differences, isStricter: false }, ...results]
}

function parse(text: string, options: CedarTestOptions): Parsed | Invalid {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return invalid('expected JSON')
  }
  if (Array.isArray(value)) {
    const parsed = v.safeParse(runTests, value)
    return parsed.success ? fromRunTests(parsed.output, options) : invalid(toReason(parsed.issues[0]))
  }
  const parsed = v.safeParse(integration, value)
  return parsed.success ? fromIntegration(parsed.output, options) : invalid(toReason(parsed.issues[0]))
}

function toReason(issue: v.BaseIssue<unknown>): string {
  return `\`${v.getDotPath(issue) ?? ''}\`: ${issue.message}`
}

function fromRunTests(
  tests: v.InferOutput<typeof runTests>,
  { policies, schema, read }: CedarTestOptions,
): Parsed | Invalid {
  if (policies === undefined)
    return invalid('a file of `cedar run-tests` names no policies: `--cedar-policies FILE`')
  const cases = tests.map(
    ({ name, request, entities, decision: wanted, reason = [], num_errors }, index) => ({
      request: {
        name: name ?? `test ${index + 1}`,
        ...request,
        entities: typeof entities === 'string' ? parseList(read(entities)) : entities,
      },
      expected: { decision: wanted, reasons: reason, isPartial: true, errors: num_errors },
    }),
  )
  return { policies, schema, isNamedById: true, shouldValidate: undefined, cases }
}

function fromIntegration(
  { policies, entities, schema, shouldValidate, requests, queries }: v.InferOutput<typeof integration>,
  { read }: CedarTestOptions,
): Parsed | Invalid {
  const text = read(policies)
  const list = read(entities)
  const declared = schema === undefined ? undefined : read(schema)
  if (text === undefined || list === undefined || (schema !== undefined && declared === undefined)) {
    return invalid('the policies, entities or schema that it names cannot be read')
  }
  const known = parseList(list)
  const cases = [...requests, ...queries].map((one, index) => ({
    request: { ...one, name: one.description ?? one.desc ?? `request ${index + 1}`, entities: known },
    expected: {
      decision: one.decision,
      reasons: (one.reason ?? one.reasons ?? []).toSorted(),
      isPartial: false,
      errors: one.errors?.length ?? 0,
    },
  }))
  return { policies: text, schema: declared, isNamedById: false, shouldValidate, cases }
}

function parseList(text: string | undefined): readonly unknown[] {
  const value: unknown = text === undefined ? [] : JSON.parse(text)
  return Array.isArray(value) ? value : []
}

function compare(expected: Expected, answer: CorpusAnswer, hasCedarSemantics: boolean): readonly string[] {
  const decided = hasCedarSemantics ? answer.cedarDecision : answer.decision
  const missing = expected.reasons.filter((id) => !answer.reasons.includes(id))
  const isSame = expected.isPartial || expected.reasons.join() === answer.reasons.join()
  return [
    ...(answer.fault === undefined ? [] : [`fault: ${answer.fault}`]),
    ...(decided === expected.decision ? [] : [`decision: expected ${expected.decision}, found ${decided}`]),
    ...(missing.length === 0 && isSame
      ? []
      : [
          `reasons: expected ${expected.reasons.join(', ') || 'none'}, found ${answer.reasons.join(', ') || 'none'}`,
        ]),
    ...(answer.errors.length === expected.errors
      ? []
      : [`errors: expected ${expected.errors}, found ${answer.errors.length}`]),
  ]
}
