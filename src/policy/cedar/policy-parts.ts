import type { Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type Cedar, createCedar } from './cedar.ts'
import type { Policy } from './policies.ts'

/** One thing that a policy demands of a request. */
export type PolicyPart = {
  readonly kind: 'principal' | 'action' | 'resource' | 'when' | 'unless'
  /** The part alone, as Cedar writes it. */
  readonly text: string
  /** A permit that holds when the part is true; for the policy to apply, an `unless` must not be. */
  readonly probe: Policy
}

/** A policy taken apart. */
export type PolicyParts = { readonly policy: Policy; readonly parts: readonly PolicyPart[] }

/** Takes policies apart at their scope, their conditions, and the conjuncts of these; only `kinds` when they are given. */
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

/** `a && b && c` is three demands. `a || b` after `unless` is two, since either would do. */
function operands(expression: Expr, operator: '&&' | '||'): readonly Expr[] {
  if (!(operator in expression)) return [expression]
  // Cedar's JSON form of both operators; the package's union has no name for it.
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
