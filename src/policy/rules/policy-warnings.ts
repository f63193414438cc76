import type { Problem } from '../../base/document/problem.ts'
import { createCedar } from '../cedar/cedar.ts'
import { schemaFor } from '../cedar/product-schema.ts'
import type { Revision } from '../revision/revision.ts'

/** Returns the warnings of Cedar's validator, one line for each policy: above all, that it can never match. */
export function policyWarnings({
  files,
  catalog,
  policies,
}: Revision): readonly (Problem & { readonly id: string })[] {
  const schema = `${files.get('schema.cedarschema') ?? ''}\n${schemaFor(catalog)}`
  const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]))
  const answer = createCedar().validate({ schema, policies: { staticPolicies } })
  if (answer.type === 'failure') return []
  const messages = new Map<string, string>()
  for (const { policyId, error } of answer.validationWarnings) {
    const message = error.message.replace(`for policy \`${policyId}\`, `, '')
    // The last warning follows from the ones before it.
    messages.set(policyId, message)
  }
  return policies.flatMap(({ id, file, line }) => {
    const message = messages.get(id)
    return message === undefined ? [] : [{ id, file, line, message }]
  })
}
