import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type Problem, placeAt, positionAt } from '../../base/document/problem.ts'
import type { PolicyReference } from '../../base/model/decision.ts'
import { type Cedar, namingFile } from './cedar.ts'
import { toCedarProblem } from './cedar-problem.ts'
import { exceedsLexicalLimits } from './lexical-limits.ts'

/** One policy: its place, its text and its Cedar JSON. */
export type Policy = PolicyReference & {
  readonly text: string
  readonly json: PolicyJson
  readonly annotations: Readonly<Record<string, string>>
}

/** Extracts the policies of every `*.cedar` file. A policy's id is its file and its `@id`, or its number in the file. */
export function parsePolicies(
  cedar: Cedar,
  files: ReadonlyMap<string, string>,
): {
  readonly policies: readonly Policy[]
  readonly problems: readonly Problem[]
} {
  const policies: Policy[] = []
  const problems: Problem[] = []
  const lines = new Map<string, number>()
  for (const [file, text] of files) {
    if (!file.endsWith('.cedar')) continue
    for (const policy of parseFile(cedar, file, text, problems)) {
      const earlier = lines.get(policy.id)
      if (earlier === undefined) policies.push(policy)
      else {
        problems.push({
          file,
          line: policy.line,
          message: `policy \`${policy.id}\` stands on line ${earlier} already; give one another \`@id\``,
        })
      }
      lines.set(policy.id, policy.line)
    }
  }
  return { policies, problems }
}

function parseFile(cedar: Cedar, file: string, text: string, problems: Problem[]): readonly Policy[] {
  const limit = exceedsLexicalLimits(text)
  if (limit !== undefined) {
    problems.push({ file, ...placeAt(text, limit.offset), message: limit.message })
    return []
  }
  const parts = namingFile(file, () => cedar.policySetTextToParts(text))
  if (parts.type === 'failure') {
    const whole = { file, whole: text, part: text, offset: 0 }
    problems.push(...parts.errors.map((error) => toCedarProblem(error, whole)))
    return []
  }
  for (const template of parts.policy_templates) {
    const message =
      'expected a policy, found a template with `?principal` or `?resource`; write the policy out'
    problems.push({ file, ...placeAt(text, Math.max(text.indexOf(template), 0)), message })
  }
  return locateParts(text, parts.policies).flatMap(({ offset, part }, index) => {
    const line = positionAt(text, offset).line
    const answer = namingFile(file, () => cedar.policyToJson(part))
    if (answer.type === 'failure') {
      problems.push(
        ...answer.errors.map((error) => toCedarProblem(error, { file, whole: text, part, offset })),
      )
      return []
    }
    const annotations = answer.json.annotations ?? {}
    const id = `${file}#${annotations['id'] ?? index + 1}`
    return [{ id, file, line, text: part, json: answer.json, annotations }]
  })
}

/**
 * Returns the offsets of policies in a text, in text order. Cedar returns policies sorted by id as text (`policy10`
 * before `policy2`). The longest is located first, because a policy without annotations also occurs inside its annotated
 * twin. A twin in a comment or a string is skipped.
 */
export function locateParts(
  text: string,
  parts: readonly string[],
): readonly { readonly offset: number; readonly part: string }[] {
  const taken = [...text.matchAll(quoted)].map(({ index, 0: { length } }) => [index, index + length] as const)
  const located = parts
    .toSorted((a, b) => b.length - a.length)
    .map((part) => {
      let offset = text.indexOf(part)
      while (taken.some(([start, end]) => start <= offset && offset < end))
        offset = text.indexOf(part, offset + 1)
      taken.push([offset, offset + part.length])
      return { offset, part }
    })
  return located.toSorted((a, b) => a.offset - b.offset)
}

const quoted = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*/g
