import { isProblems } from '../../base/model/problems.ts'
import { createCedar } from '../cedar/cedar.ts'
import { type Policy, parsePolicies } from '../cedar/policies.ts'
import { assembleRevision, loadParts } from '../revision/load.ts'
import type { Revision } from '../revision/revision.ts'

/** Returns the revision with other policies. */
export type DecideBy = (policies: readonly Policy[]) => Revision

/** Creates revisions with other policies. Catalog, schema and entities stay, and nothing is validated. */
export function alternativesTo(revision: Revision): DecideBy {
  const parts = loadParts(revision, { hasServed: true })
  // The revision has loaded before, so its files load again.
  return (policies) => (!isProblems(parts) ? assembleRevision({ ...parts, policies }) : revision)
}

/** Returns the policies of a proposed text for a file; empty if it does not parse. */
export function parseProposal(file: string, text: string): readonly Policy[] {
  return parsePolicies(createCedar(), new Map([[file, text]])).policies
}
