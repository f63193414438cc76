// Runs files of Cedar's integration tests, and with `--policies FILE` those of `cedar run-tests`, through the slices and the
// engine of live requests. Where a `forbid` cannot be evaluated, Waywarden denies and Cedar passes over it: `--cedar-semantics`
// compares Cedar's answer there. Numbers beyond 2^53 do not survive the way through JSON: such a request is denied.
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { parseArgs } from 'node:util'
import { isInvalid } from '../src/base/model/invalid.ts'
import { type CedarTestOptions, type CedarTestResult, runCedarTests } from '../test/cedar/cedar-tests.ts'

type FileResult = {
  readonly file: string
  readonly problem: string | undefined
  readonly results: readonly CedarTestResult[]
}

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    policies: { type: 'string' },
    schema: { type: 'string' },
    'cedar-semantics': { type: 'boolean', default: false },
  },
})
const ran = files.map(runFile)
const results = ran.flatMap((file) => file.results)
const failed = results.filter(({ differences }) => differences.length > 0).length
const stricter = results.filter(({ isStricter }) => isStricter).length
for (const line of ran.flatMap(formatFile)) console.log(line)
console.log(`${results.length - failed} passed, ${failed} failed`)
if (stricter > 0) console.log(`${stricter} denied here for a forbid that failed, which Cedar passes over`)
if (failed > 0 || results.length === 0 || ran.some(({ problem }) => problem !== undefined))
  process.exitCode = 1

function runFile(file: string): FileResult {
  const text = readText(file)
  if (text === undefined) return { file, problem: 'cannot be read', results: [] }
  const [policies, schema] = [options.policies, options.schema].map((path) => path && readText(path))
  const isMissing = (path: string | undefined, found: string | undefined) =>
    path !== undefined && found === undefined
  if (isMissing(options.policies, policies) || isMissing(options.schema, schema))
    return { file, problem: 'the policies or the schema beside it cannot be read', results: [] }
  const compared: CedarTestOptions = {
    policies,
    schema,
    hasCedarSemantics: options['cedar-semantics'],
    read: (path) => readNear(dirname(file), path),
  }
  const results = runCedarTests(text, compared)
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
