import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { isInvalid } from '../model/invalid.ts'
import { type CedarTestOptions, type CedarTestResult, runCedarTests } from '../review/cedar-tests.ts'
import { type ExitCode, exitCodes, type Terminal, toLine } from './terminal.ts'

/** Files of Cedar's own tests, and how to compare. */
export type CedarFiles = {
  readonly files: readonly string[]
  readonly cedarPolicies?: string
  readonly cedarSchema?: string
  readonly cedarSemantics?: true
  readonly json?: true
}

type FileResult = {
  readonly file: string
  readonly problem: string | undefined
  readonly results: readonly CedarTestResult[]
}

/** Runs Cedar's own tests through our engine. */
export async function testCedar(asked: CedarFiles, terminal: Terminal): Promise<ExitCode> {
  const ran = asked.files.map((file) => runFile(file, asked))
  const results = ran.flatMap((file) => file.results)
  const failed = results.filter(({ differences }) => differences.length > 0).length
  const stricter = results.filter(({ isStricter }) => isStricter).length
  const isOk = failed === 0 && results.length > 0 && ran.every(({ problem }) => problem === undefined)
  if (asked.json) {
    terminal.print(JSON.stringify({ ok: isOk, failed, stricter, files: ran }, undefined, 2))
    return isOk ? exitCodes.ok : exitCodes.negative
  }
  for (const line of ran.flatMap(formatFile)) terminal.print(toLine(line))
  terminal.print(
    `${results.length - failed} passed, ${failed} failed${stricter === 0 ? '' : `, ${stricter} denied here for a forbid that failed, which Cedar passes over`}`,
  )
  return isOk ? exitCodes.ok : exitCodes.negative
}

function runFile(file: string, { cedarPolicies, cedarSchema, cedarSemantics }: CedarFiles): FileResult {
  const text = readText(file)
  if (text === undefined) return { file, problem: 'cannot be read', results: [] }
  const policies = cedarPolicies === undefined ? undefined : readText(cedarPolicies)
  const schema = cedarSchema === undefined ? undefined : readText(cedarSchema)
  if (
    (cedarPolicies !== undefined && policies === undefined) ||
    (cedarSchema !== undefined && schema === undefined)
  ) {
    return { file, problem: 'the policies or the schema beside it cannot be read', results: [] }
  }
  const options: CedarTestOptions = {
    policies,
    schema,
    hasCedarSemantics: cedarSemantics === true,
    read: (path) => readNear(dirname(file), path),
  }
  const results = runCedarTests(text, options)
  return isInvalid(results)
    ? { file, problem: results.reason, results: [] }
    : { file, problem: undefined, results }
}

/** Integration tests name files from the root of their repository, which is the folder or one above it. */
function readNear(folder: string, path: string): string | undefined {
  if (isAbsolute(path) || path.split('/').includes('..')) return undefined
  const found = readText(join(folder, path))
  const above = dirname(folder) === folder && folder === '.' ? undefined : dirname(folder)
  return found ?? (above === undefined || above === folder ? undefined : readNear(above, path))
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function formatFile({ file, problem, results }: FileResult): readonly string[] {
  return [
    ...(problem === undefined ? [] : [`✗ ${file}: ${problem}`]),
    ...results.flatMap(({ name, differences }) => [
      `${differences.length === 0 ? '✓' : '✗'} ${file}: ${name}`,
      ...differences.map((difference) => `    ${difference}`),
    ]),
  ]
}
