import type { Problem } from '../../base/document/problem.ts'
import { type Deny, deniedBy, type PrincipalResult } from '../../base/model/decision.ts'
import { isProblems, type Problems } from '../../base/model/problems.ts'
import type { Permission } from '../../decision/check/judge.ts'
import type { Policy } from '../../policy/cedar/policies.ts'
import type { Revision } from '../../policy/revision/revision.ts'
import { judgeSituation } from '../situation.ts'
import { type Expectation, type ExpectedRefusal, type PolicyTest, parseTestFile } from './test-file.ts'

/** A result that differs from its expectation. */
export type Difference = {
  readonly field: 'decision' | 'code' | 'deniedBy' | 'policies'
  readonly expected: string
  readonly found: string
}

/** One test and its result. */
export type TestResult = {
  readonly test: PolicyTest
  readonly differences: readonly Difference[]
  /** The refusal of the request, if any. */
  readonly refusal: Pick<Deny, 'code' | 'reason'> | undefined
}

/** All tests of a policy repository. */
export type TestRun = {
  readonly results: readonly TestResult[]
  readonly failed: number
  readonly coverage: Coverage
}

/** The policies that decided at least one test. */
export type Coverage = {
  /** 0 to 100; 100 for a repository without policies. */
  readonly percent: number
  readonly covered: number
  readonly total: number
  readonly uncovered: readonly Pick<Policy, 'id' | 'file' | 'line'>[]
}

/** Runs the tests in the given files whose names contain `filter`, or returns the files' problems. */
export function runPolicyTests(
  files: ReadonlyMap<string, string>,
  revision: Revision,
  filter = '',
): TestRun | Problems<Problem> {
  const all = parseTests(files)
  if (isProblems(all)) return all
  const tests = all.filter(({ name }) => name.includes(filter))
  const deciding = new Set<string>()
  const results = tests.map((test): TestResult => {
    const { decision } = judgeSituation(test.situation, revision)
    for (const { id } of decision.results.flatMap((result) => result.determiningPolicies)) deciding.add(id)
    const refusal = decision.kind === 'deny' ? decision : undefined
    return { test, differences: compare(test.expected, decision), refusal }
  })
  return {
    results,
    failed: results.filter(({ differences }) => differences.length > 0).length,
    coverage: toCoverage(revision.policies, deciding),
  }
}

/** Parses every test of every file, or returns all problems. */
export function parseTests(files: ReadonlyMap<string, string>): readonly PolicyTest[] | Problems<Problem> {
  const parsed = [...files].map(([file, text]) => parseTestFile(file, text))
  const problems = parsed.flatMap((tests) => (isProblems(tests) ? tests.problems : []))
  if (problems.length > 0) return { kind: 'problems', problems }
  return parsed.flatMap((tests) => (isProblems(tests) ? [] : tests))
}

function compare(expected: Expectation, decision: Permission | Deny): readonly Difference[] {
  const { results } = decision
  const { code, deniedBy: refusals, policies } = expected
  const pairs: Difference[] = [
    {
      field: 'decision',
      expected: expected.decision,
      found: decision.kind === 'deny' ? 'deny' : 'allow',
    },
  ]
  if (code !== undefined) {
    pairs.push({ field: 'code', expected: code, found: decision.kind === 'deny' ? decision.code : 'none' })
  }
  if (refusals !== undefined) {
    const found = deniedBy(results).map((result, index) => toRefusal(result, refusals[index]))
    pairs.push({
      field: 'deniedBy',
      expected: list(refusals.map(formatRefusal)),
      found: list(found.map(formatRefusal)),
    })
  }
  if (policies !== undefined) {
    pairs.push({ field: 'policies', expected: list(policies.toSorted()), found: list(idsOf(results)) })
  }
  return pairs.filter((pair) => pair.expected !== pair.found)
}

/** Formats a refusal with as much detail as its expectation has, or in full if none was expected. */
function toRefusal(result: PrincipalResult, like: ExpectedRefusal | undefined): ExpectedRefusal {
  const principal = like !== undefined && like.principal === undefined ? undefined : result.principal.id
  return { role: result.role, principal, policies: like?.policies && idsOf([result]) }
}

function formatRefusal({ role, principal, policies }: ExpectedRefusal): string {
  const by = policies && `by ${list(policies.toSorted())}`
  return [role, principal, by].filter((part) => part !== undefined).join(' ')
}

function idsOf(results: readonly PrincipalResult[]): readonly string[] {
  return [
    ...new Set(results.flatMap(({ determiningPolicies }) => determiningPolicies.map(({ id }) => id))),
  ].sort()
}

function list(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ')
}

function toCoverage(policies: readonly Policy[], deciding: ReadonlySet<string>): Coverage {
  const uncovered = policies
    .filter(({ id }) => !deciding.has(id))
    .map(({ id, file, line }) => ({ id, file, line }))
  const covered = policies.length - uncovered.length
  const percent = policies.length === 0 ? 100 : Math.floor((covered / policies.length) * 100)
  return { percent, covered, total: policies.length, uncovered }
}
