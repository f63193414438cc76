import type { Matter } from '../authoring/situation.ts'
import { formatEntityUid } from '../base/model/entity-uid.ts'
import type { Counterfactual } from '../explain/counterfactuals.ts'
import type {
  ExplainedPrincipal,
  Explanation,
  FailedCondition,
  Miss,
  ShownPolicy,
} from '../explain/explain.ts'

/** Formats an explanation for people. */
export function formatExplanation(explanation: Explanation, matter: Matter | undefined): readonly string[] {
  const { outcome, code, reason, principals, flips } = explanation
  const { target } = matter ?? {}
  return [
    `${outcome}${code === undefined ? '' : ` ${code}`}`,
    ...(reason === undefined ? [] : [`because ${reason}`]),
    ...(target === undefined
      ? []
      : [
          `wanted ${formatEntityUid(target.action)} on ${formatEntityUid(target.resource)} of ${target.service.name}`,
        ]),
    ...principals.flatMap(formatPrincipal),
    ...(flips.length === 0
      ? []
      : ['', outcome === 'allow' ? 'It would be denied with:' : 'It would be allowed with:']),
    ...flips.flatMap(formatCounterfactual),
  ]
}

function formatPrincipal(found: ExplainedPrincipal): readonly string[] {
  const { principal, role, outcome, policies, misses, errors } = found
  return [
    '',
    `${outcome === 'permit' ? '✓' : '✗'} ${role} ${formatEntityUid(principal)}: ${outcome}`,
    ...policies.flatMap((policy) => formatPolicy(policy)),
    ...errors.map(
      ({ policy, message }) => `  error in ${policy.file}:${policy.line} (${policy.id}): ${message}`,
    ),
    ...misses.flatMap((miss) => formatMiss(miss, outcome === 'no-permit')),
  ]
}

function formatPolicy({ id, file, line, effect, text }: ShownPolicy): readonly string[] {
  return [
    `  ${effect === 'permit' ? 'permitted' : 'forbidden'} by ${file}:${line} (${id})`,
    ...text.split('\n').map((part) => `    | ${part}`),
  ]
}

function formatMiss({ policy, conditions }: Miss, isPermit: boolean): readonly string[] {
  const { file, line, id } = policy
  return [
    isPermit
      ? `  nearest: ${file}:${line} (${id}), but for`
      : `  ${file}:${line} (${id}) would not, were this true`,
    ...conditions.map((condition) => `    ${formatCondition(condition)}`),
  ]
}

function formatCondition({ kind, text, found }: FailedCondition): string {
  const word = kind === 'when' || kind === 'unless' ? `${kind} ` : ''
  return `${word}${text}   is ${found === 'error' ? 'an error' : found}`
}

function formatCounterfactual({ of, steps, cedar }: Counterfactual): readonly string[] {
  return [
    `  ${of}: ${steps.join('; and ')}`,
    ...cedar.flatMap((text) => text.split('\n').map((part) => `    | ${part}`)),
  ]
}
