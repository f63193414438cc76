import type { CatalogService } from '../revision/catalog.ts'
import type { Policy } from '../revision/policies.ts'

/** What lint looks for. */
export const lintRules = [
  'permit-without-role',
  'chainless-gains',
  'never-matches',
  'shadowed',
  'shared-account',
] as const

/** Something that loads, and that its author hardly means. */
export type Finding = {
  readonly rule: (typeof lintRules)[number]
  readonly file: string
  readonly line: number
  /** The policy in question, when it is one. */
  readonly policy: string | undefined
  readonly message: string
}

/** A finding about one policy. */
export function toPolicyFinding(rule: Finding['rule'], { id, file, line }: Policy, message: string): Finding {
  return { rule, file, line, policy: id, message: `policy \`${id}\`: ${message}` }
}

/** A finding about one service of the catalog. */
export function toServiceFinding(
  rule: Finding['rule'],
  { name, line }: CatalogService,
  message: string,
): Finding {
  return { rule, file: 'services.yaml', line, policy: undefined, message: `service \`${name}\`${message}` }
}
