import type { Problem } from '../../base/document/problem.ts'
import { isProblems, type Problems } from '../../base/model/problems.ts'
import type { Tested } from '../../policy/revision/candidate.ts'
import { loadRevision } from '../../policy/revision/load.ts'
import type { Revision } from '../../policy/revision/revision.ts'
import type { PolicyFiles } from '../../policy/source/policy-files.ts'
import { runPolicyTests, type TestRun } from './policy-tests.ts'

/** Runs a revision's own tests. A failure keeps the revision from serving. */
export function runOwnTests(tests: ReadonlyMap<string, string>, revision: Revision): Tested {
  const run = runPolicyTests(tests, revision)
  return isProblems(run)
    ? { count: 0, problems: run.problems }
    : { count: run.results.length, problems: toProblems(run) }
}

/** A policy repository that can serve, and the number of its own tests that pass. */
export type CheckedRepository = { readonly revision: Revision; readonly tests: number }

/** Loads and tests a policy repository, or returns all problems that keep it from serving. */
export function checkRepository(source: PolicyFiles): CheckedRepository | Problems<Problem> {
  const revision = loadRevision(source)
  if (isProblems(revision)) return revision
  const { count, problems } = runOwnTests(source.tests, revision)
  return problems.length > 0 ? { kind: 'problems', problems } : { revision, tests: count }
}

function toProblems({ results }: TestRun): readonly Problem[] {
  return results
    .filter(({ differences }) => differences.length > 0)
    .map(({ test: { file, line, name }, differences, refusal }) => {
      const found = differences.map(
        ({ field, expected, found }) => `${field}: expected ${expected}, found ${found}`,
      )
      const because = refusal === undefined ? '' : ` (${refusal.code}: ${refusal.reason})`
      return { file, line, message: `test \`${name}\`: ${found.join('; ')}${because}` }
    })
}
