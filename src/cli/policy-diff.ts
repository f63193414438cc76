import { lstat } from 'node:fs/promises'
import type { Command } from 'commander'
import type { DecisionRecord } from '../audit/format/record.ts'
import { formatBad, readRecords } from '../audit/read/query.ts'
import { type Change, createDiff, type PolicyDiff } from '../authoring/diff.ts'
import { parseTests } from '../authoring/tests/policy-tests.ts'
import type { PolicyTest } from '../authoring/tests/test-file.ts'
import { formatProblem, type Problem } from '../base/document/problem.ts'
import { isFailure } from '../base/model/failure.ts'
import { isAbsent } from '../base/model/fault.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { isProblems, type Problems } from '../base/model/problems.ts'
import { formatCount } from '../base/text/count.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { readPolicyDirectory } from '../policy/source/directory-source.ts'
import { collect } from './collect.ts'
import { addKeyOption, type KeyOptions, readKeys } from './log-keys.ts'
import { formatDifference } from './outcome-text.ts'
import { loadDirectory } from './policy-directory.ts'
import { loadStored } from './stored-revision.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'

type DiffOptions = KeyOptions & { readonly audit?: readonly string[]; readonly json?: true }

const maxComplaints = 5

/** Adds `policy diff`. */
export function addPolicyDiff(policy: Command, terminal: Terminal, finish: Finish): void {
  const command = policy
    .command('diff')
    .description('judge recorded decisions and tests by two revisions, and list what changes')
    .argument('<a>', 'a policy directory, or with `--audit` the id of a stored revision')
    .argument('<b>', 'the policies to compare with')
    .option('--audit <path>', 'an audit directory; repeat it for every replica', collect)
  addKeyOption(command)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden policy diff ./main/policies ./policies --audit ./audit',
        '0 nothing changes, 1 something does, or cannot be judged',
      ),
    )
    .action(async (a: string, b: string, options: DiffOptions) => finish(await diff(a, b, options, terminal)))
}

async function diff(a: string, b: string, options: DiffOptions, terminal: Terminal): Promise<ExitCode> {
  const { audit = [], json } = options
  const given = await readKeys(options.key)
  if (isInvalid(given)) {
    terminal.complain(given.reason)
    return exitCodes.usage
  }
  const [before, after] = [await findRevision(a, audit), await findRevision(b, audit)]
  for (const missing of [before, after].filter(isInvalid)) terminal.complain(toLine(missing.reason))
  if (isInvalid(before) || isInvalid(after)) return exitCodes.negative
  const builder = createDiff(before, after)
  const problems: Problem[] = []
  for (const test of await readTests([a, b], problems)) builder.addTest(test)
  let unreadable = 0
  const changed = new Set<string>()
  for await (const line of readRecords(audit, { keys: given.keys })) {
    if (line.kind === 'bad' && unreadable++ < maxComplaints) terminal.complain(toLine(formatBad(line)))
    if (line.kind !== 'record') continue
    builder.addRecord(line.record)
    for (const { id } of [before, after].filter((side) => isOtherThan(side, line.record))) changed.add(id)
  }
  for (const id of changed) {
    terminal.complain(`revision \`${id}\`: its records name another digest: the stored copy was changed`)
  }
  if (changed.size > 0) return exitCodes.negative
  for (const problem of problems) terminal.complain(formatProblem(problem))
  if (unreadable > maxComplaints) terminal.complain(`${unreadable} lines or paths could not be read`)
  const found = builder.result()
  if (json) {
    const revisions = { a: before.id, b: after.id }
    terminal.print(JSON.stringify({ revisions, ...found, unreadable }, undefined, 2))
  } else {
    for (const line of formatDiff(found)) terminal.print(toLine(line))
  }
  const isSame = found.changes.length === 0 && problems.length === 0 && unreadable === 0
  return isSame ? exitCodes.ok : exitCodes.negative
}

/** True if a side has the name of the revision that decided, but other files. */
function isOtherThan(side: Revision, { policyRevision, policyDigest }: DecisionRecord): boolean {
  return side.id === policyRevision && policyDigest !== undefined && side.digest !== policyDigest
}

async function findRevision(place: string, audit: readonly string[]): Promise<Revision | Invalid> {
  for (const path of audit) {
    const kept = await loadStored(path, { policyRevision: place })
    if (!isInvalid(kept) || kept.why !== 'missing') return kept
  }
  const loaded = await loadDirectory(place)
  if (!isProblems(loaded)) return loaded
  const why = loaded.problems.map(formatProblem).join('; ')
  return invalid(`\`${place}\` is not a stored revision, and does not load as a directory: ${why}`)
}

/** Returns the tests of both sides, each once, because the same test is the same request. */
async function readTests(
  directories: readonly string[],
  problems: Problem[],
): Promise<readonly PolicyTest[]> {
  const tests = new Map<string, PolicyTest>()
  for (const directory of directories) {
    const parsed = await readTestsIn(directory)
    if (isProblems(parsed)) problems.push(...parsed.problems)
    else for (const test of parsed) tests.set(JSON.stringify(test.situation), test)
  }
  return [...tests.values()]
}

/** A stored revision has no tests. */
async function readTestsIn(directory: string): Promise<readonly PolicyTest[] | Problems<Problem>> {
  if (!(await isPath(directory))) return []
  const source = await readPolicyDirectory(directory)
  return isFailure(source) ? { ...source, kind: 'problems' } : parseTests(source.tests)
}

async function isPath(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (cause) {
    return !isAbsent(cause)
  }
}

function formatDiff({ changes, judged, passedOver }: PolicyDiff): readonly string[] {
  const counts = `${formatCount(judged.records, 'record')} and ${formatCount(judged.tests, 'test')} judged`
  const skipped = passedOver === 0 ? '' : `, ${formatCount(passedOver, 'record')} never reached the policies`
  return [...changes.flatMap(formatChange), `${formatKinds(changes.length)}: ${counts}${skipped}`]
}

function formatKinds(number: number): string {
  if (number === 0) return 'nothing changes'
  return number === 1 ? '1 kind of request changes' : `${number} kinds of request change`
}

function formatChange({ records, tests, example, ...change }: Change): readonly string[] {
  return [
    ...formatDifference(change, `${formatCount(records, 'record')}, ${formatCount(tests, 'test')}`),
    `       such as ${example}`,
    '',
  ]
}
