import type { CatalogService } from '../policy/catalog/catalog.ts'
import type { Policy } from '../policy/cedar/policies.ts'
import type { UnknownName } from '../policy/rules/unknown-names.ts'

/** The rules of lint. */
export const lintRules = [
  'permit-without-role',
  'chainless-gains',
  'never-matches',
  'unknown-name',
  'shadowed',
  'shared-account',
] as const

/** Something that loads but is probably a mistake. */
export type Finding = {
  readonly rule: (typeof lintRules)[number]
  readonly file: string
  readonly line: number
  /** The policy concerned, if any. */
  readonly policy: string | undefined
  readonly message: string
}

/** Returns a finding about one policy. */
export function toPolicyFinding(rule: Finding['rule'], { id, file, line }: Policy, message: string): Finding {
  return { rule, file, line, policy: id, message: `policy \`${id}\`: ${message}` }
}

/** Returns a finding about an unknown name; its message says where the name is. */
export function toNameFinding({ file, line = 1, policy, message }: UnknownName): Finding {
  return { rule: 'unknown-name', file, line, policy: policy?.id, message }
}

/** Returns a finding about one service of the catalog. */
export function toServiceFinding(
  rule: Finding['rule'],
  { name, line }: CatalogService,
  message: string,
): Finding {
  return { rule, file: 'services.yaml', line, policy: undefined, message: `service \`${name}\`${message}` }
}
