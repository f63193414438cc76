import type { Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type Cedar, createCedar } from './cedar.ts'
import type { Policy } from './policies.ts'

/** One demand of a policy. */
export type PolicyPart = {
  readonly kind: 'principal' | 'action' | 'resource' | 'when' | 'unless'
  /** The part alone, as Cedar formats it. */
  readonly text: string
  /** A permit that holds if the part is true. An `unless` part must be false for the policy to apply. */
  readonly probe: Policy
}

/** A policy and its parts. */
export type PolicyParts = { readonly policy: Policy; readonly parts: readonly PolicyPart[] }

/** Splits policies into scope, conditions, and the conjuncts of these; only `kinds` if given. */
export function splitPolicies(
  policies: readonly Policy[],
  kinds?: readonly PolicyPart['kind'][],
): readonly PolicyParts[] {
  const cedar = createCedar()
  return policies.map((policy) => ({ policy, parts: splitPolicy(policy, cedar, kinds) }))
}

const everything: PolicyJson = {
  effect: 'permit',
  principal: { op: 'All' },
  action: { op: 'All' },
  resource: { op: 'All' },
  conditions: [],
}

function splitPolicy(
  { id, json }: Policy,
  cedar: Cedar,
  kinds: readonly PolicyPart['kind'][] | undefined,
): readonly PolicyPart[] {
  const pieces: { readonly kind: PolicyPart['kind']; readonly json: PolicyJson }[] = []
  for (const kind of ['principal', 'action', 'resource'] as const) {
    if (json[kind].op !== 'All') pieces.push({ kind, json: { ...everything, [kind]: json[kind] } })
  }
  for (const { kind, body } of json.conditions) {
    for (const part of operands(body, kind === 'when' ? '&&' : '||')) {
      pieces.push({ kind, json: { ...everything, conditions: [{ kind: 'when', body: part }] } })
    }
  }
  return pieces.flatMap((piece, index) => {
    if (kinds !== undefined && !kinds.includes(piece.kind)) return []
    const answer = cedar.policyToText(piece.json)
    if (answer.type === 'failure') return []
    const probe: Policy = {
      id: `${index} of ${id}`,
      file: '',
      line: 0,
      text: answer.text,
      json: piece.json,
      annotations: {},
    }
    return [{ kind: piece.kind, text: partOf(answer.text, piece.kind), probe }]
  })
}

/** `a && b && c` is three demands. `a || b` after `unless` is two, because either prevents the policy. */
function operands(expression: Expr, operator: '&&' | '||'): readonly Expr[] {
  if (!(operator in expression)) return [expression]
  // The package's union has no name for the JSON form of both operators.
  const { left, right } = (expression as Record<string, { left: Expr; right: Expr }>)[operator] ?? {}
  return left === undefined || right === undefined
    ? [expression]
    : [...operands(left, operator), ...operands(right, operator)]
}

const patterns: Readonly<Record<PolicyPart['kind'], RegExp>> = {
  principal: /^permit\((.*), action, resource\);$/s,
  action: /^permit\(principal, (.*), resource\);$/s,
  resource: /^permit\(principal, action, (.*)\);$/s,
  when: / when \{ (.*) \};$/s,
  unless: / when \{ (.*) \};$/s,
}

function partOf(text: string, kind: PolicyPart['kind']): string {
  return patterns[kind].exec(text)?.[1] ?? text
}
