import { areProblems } from '../../base/model/invalid.ts'
import { createCedar } from '../cedar/cedar.ts'
import { type Policy, parsePolicies } from '../cedar/policies.ts'
import { assembleRevision, loadParts } from '../revision/load.ts'
import type { Revision } from '../revision/revision.ts'

/** The revision as it would decide by other policies. */
export type DecideBy = (policies: readonly Policy[]) => Revision

/** Makes revisions with other policies: the catalog, schema and entities stay, nothing is validated. */
export function alternativesTo(revision: Revision): DecideBy {
  const parts = loadParts(revision, { hasServed: true })
  // A revision has loaded, so its files load again.
  return (policies) => (!areProblems(parts) ? assembleRevision({ ...parts, policies }) : revision)
}

/** The policies in a text that somebody proposes for a file; none when it does not parse. */
export function parseProposal(file: string, text: string): readonly Policy[] {
  return parsePolicies(createCedar(), new Map([[file, text]])).policies
}
