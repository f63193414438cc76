import { writeFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { toJunit } from '../authoring/tests/junit.ts'
import {
  type Coverage,
  runPolicyTests,
  type TestResult,
  type TestRun,
} from '../authoring/tests/policy-tests.ts'
import type { Problem } from '../base/document/problem.ts'
import { isFailure } from '../base/model/failure.ts'
import { isProblems, type Problems } from '../base/model/problems.ts'
import { loadRevision } from '../policy/revision/load.ts'
import { readPolicyDirectory } from '../policy/source/directory-source.ts'
import { complainAboutPolicies } from './policy-directory.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'

type TestOptions = {
  readonly json?: true
  readonly junit?: string
  readonly minCoverage?: number
  readonly filter?: string
}

/** Adds `policy test`. */
export function addPolicyTest(policy: Command, terminal: Terminal, finish: Finish): void {
  policy
    .command('test')
    .description('run the tests of a policy repository, `tests/*.yaml`')
    .argument('<dir>', 'the directory with services.yaml and tests/')
    .option('--json', 'print one JSON object')
    .option('--junit <file>', 'write the results as JUnit XML, too')
    .option('--filter <text>', 'only tests whose names contain this text')
    .option('--min-coverage <percent>', 'minimum share of policies that must decide a test', toPercent)
    .addHelpText(
      'after',
      helpFooter(
        'waywarden policy test ./policies --min-coverage 100',
        '0 all pass, 1 a test fails, there are none, or too few policies are covered',
      ),
    )
    .action(async (directory: string, options: TestOptions) =>
      finish(await test(directory, options, terminal)),
    )
}

function toPercent(text: string): number {
  if (!/^(?:\d|[1-9]\d|100)$/.test(text)) throw new InvalidArgumentError('expected a number from 0 to 100')
  return Number(text)
}

async function test(directory: string, options: TestOptions, terminal: Terminal): Promise<ExitCode> {
  const run = await runDirectory(directory, options.filter)
  if (isProblems(run)) {
    if (options.json) terminal.print(JSON.stringify({ ok: false, problems: run.problems }, undefined, 2))
    else complainAboutPolicies(run.problems, directory, terminal)
    return exitCodes.negative
  }
  const isCovered = run.coverage.percent >= (options.minCoverage ?? 0)
  const isOk = run.failed === 0 && run.results.length > 0 && isCovered
  if (options.junit !== undefined) await writeFile(options.junit, toJunit(run))
  if (options.json) terminal.print(JSON.stringify({ ok: isOk, ...toJson(run) }, undefined, 2))
  else {
    for (const line of formatRun(run)) terminal.print(toLine(line))
    if (run.results.length === 0) terminal.complain(`no tests in \`${directory}/tests\``)
    if (!isCovered) {
      terminal.complain(`coverage ${run.coverage.percent} %, expected at least ${options.minCoverage} %`)
    }
  }
  return isOk ? exitCodes.ok : exitCodes.negative
}

async function runDirectory(
  directory: string,
  filter: string | undefined,
): Promise<TestRun | Problems<Problem>> {
  const source = await readPolicyDirectory(directory)
  if (isFailure(source)) return { ...source, kind: 'problems' }
  const revision = loadRevision(source)
  return !isProblems(revision) ? runPolicyTests(source.tests, revision, filter) : revision
}

function toJson({ results, failed, coverage }: TestRun): object {
  const tests = results.map(({ test: { file, line, name }, differences, refusal }) => ({
    file,
    line,
    name,
    ok: differences.length === 0,
    differences,
    code: refusal?.code,
    reason: refusal?.reason,
  }))
  return { passed: results.length - failed, failed, tests, coverage }
}

function formatRun({ results, failed, coverage }: TestRun): readonly string[] {
  return [
    ...results.flatMap(formatResult),
    '',
    `${results.length - failed} passed, ${failed} failed`,
    ...formatCoverage(coverage),
  ]
}

function formatResult({ test: { file, line, name }, differences, refusal }: TestResult): readonly string[] {
  if (differences.length === 0) return [`✓ ${name}`]
  return [
    `✗ ${name} (${file}:${line})`,
    ...differences.flatMap(({ field, expected, found }) => [
      `    ${field.padEnd(9)} - ${expected}`,
      `    ${''.padEnd(9)} + ${found}`,
    ]),
    ...(refusal === undefined ? [] : [`    because   ${refusal.code}: ${refusal.reason}`]),
  ]
}

function formatCoverage({ percent, covered, total, uncovered }: Coverage): readonly string[] {
  return [
    `${covered} of ${total} policies decided a test (${percent} %)`,
    ...uncovered.map(({ id, file, line }) => `  never: ${file}:${line} (${id})`),
  ]
}
