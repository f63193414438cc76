// Applies the changes of scripts/mutants/*.yaml one by one in a copy of the project, and expects each to make a test
// fail. A change that survives breaks a rule that no test holds. A run that was ended goes on where it was, unless a
// file of src/, test/ or the lists has changed. `npm run test:mutants -- TEXT` tries only those whose file or idea has
// the text.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Mutant, readMutants } from './mutants/read-mutants.ts'

type Outcome =
  | { readonly kind: 'killed'; readonly by: string }
  | { readonly kind: 'survived' }
  /** It could not be tried. */
  | { readonly kind: 'broken'; readonly why: string }

const project = fileURLToPath(new URL('..', import.meta.url))
const stateFile = join(project, '.run', 'mutants.json')
const linked = new Set(['node_modules', '.tools', '.envoy', 'dist'])
const left = new Set(['.git', '.run', '.venv-agents', '.venv-observability'])
const processes = 2
/** A change can make a test wait for ever: then it fails by its timeout. */
const testTimeoutMs = 60_000

const startedMs = performance.now()
const wanted = process.argv[2] ?? ''
const chosen = readMutants().filter(({ file, idea }) => `${file} ${idea}`.includes(wanted))
const state = readState()
const waiting = chosen.filter((mutant) => !state.killed.has(idOf(mutant)))
const baselines = new Map<string, Promise<Outcome>>()
const troubles: string[] = []
let done = chosen.length - waiting.length

if (done > 0) console.log(`${done} were killed before, and nothing has changed since`)
await Promise.all(Array.from({ length: processes }, work))
for (const trouble of troubles) console.log(trouble)
console.log(`${chosen.length} mutants in ${elapsed()}`)
console.log(`${chosen.length - troubles.length} killed, ${troubles.length} not killed`)
process.exitCode = troubles.length === 0 ? 0 : 1

/** Tries mutants in a copy of the project until none is left. */
async function work(): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'waywarden-mutants-'))
  try {
    for (const name of readdirSync(project).filter((each) => !left.has(each)))
      if (linked.has(name)) symlinkSync(join(project, name), join(copy, name))
      else cpSync(join(project, name), join(copy, name), { recursive: true })
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift())
      tell(mutant, await attempt(copy, mutant))
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** Changes the copy, runs the tests, and changes it back. */
async function attempt(copy: string, { file, find, replace, tests }: Mutant): Promise<Outcome> {
  const path = join(copy, file)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const places = text.split(find).length - 1
  if (places !== 1)
    return { kind: 'broken', why: `\`find\` stands in the file ${places} times, expected once` }
  const before = await baselineOf(copy, tests)
  if (before.kind !== 'survived')
    return {
      kind: 'broken',
      why: `its tests fail without it: ${before.kind === 'killed' ? before.by : before.why}`,
    }
  writeFileSync(
    path,
    text.replace(find, () => replace),
  )
  const outcome = await runTests(copy, tests)
  writeFileSync(path, text)
  return outcome
}

/** How tests end without any change, asked once. */
function baselineOf(copy: string, tests: readonly string[]): Promise<Outcome> {
  const key = tests.join(' ')
  const known = baselines.get(key) ?? runTests(copy, tests)
  baselines.set(key, known)
  return known
}

function runTests(copy: string, tests: readonly string[]): Promise<Outcome> {
  const report = join(copy, 'report.json')
  rmSync(report, { force: true })
  const options = ['--bail', '--reporter', 'json', '--reporter-option', `output=${report}`, '--exit']
  const args = ['node_modules/mocha/bin/mocha.js', ...options, '--timeout', String(testTimeoutMs), ...tests]
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: copy, stdio: ['ignore', 'ignore', 'pipe'] })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = `${complaint}${text}`.slice(-400)
    })
    child.on('close', () => resolve(readReport(report) ?? { kind: 'broken', why: complaint.trim() }))
  })
}

function readReport(file: string): Outcome | undefined {
  if (!existsSync(file)) return undefined
  const { failures }: { readonly failures: readonly { readonly fullTitle: string }[] } = JSON.parse(
    readFileSync(file, 'utf8'),
  )
  const [first] = failures
  return first === undefined ? { kind: 'survived' } : { kind: 'killed', by: first.fullTitle }
}

function tell(mutant: Mutant, outcome: Outcome): void {
  done++
  const what = `${outcome.kind}  ${mutant.file}: ${mutant.idea}`
  const told = outcome.kind === 'broken' ? `${what}  (${outcome.why})` : what
  const by = outcome.kind === 'killed' ? `  by: ${outcome.by}` : ''
  console.log(`${done}/${chosen.length}  ${elapsed()}  ${told}${by}`)
  if (outcome.kind !== 'killed') troubles.push(told)
  else writeState(idOf(mutant))
}

type State = { readonly digest: string; readonly killed: Set<string> }

/** The mutants that were killed before, of the same code by the same tests. */
function readState(): State {
  const digest = digestOf(['src', 'test', 'scripts/mutants'])
  const before: { readonly digest?: string; readonly killed?: readonly string[] } = existsSync(stateFile)
    ? JSON.parse(readFileSync(stateFile, 'utf8'))
    : {}
  return { digest, killed: new Set(before.digest === digest ? before.killed : []) }
}

function writeState(id: string): void {
  state.killed.add(id)
  mkdirSync(dirname(stateFile), { recursive: true })
  writeFileSync(stateFile, JSON.stringify({ digest: state.digest, killed: [...state.killed] }))
}

function digestOf(folders: readonly string[]): string {
  const hash = createHash('sha256')
  for (const folder of folders)
    for (const entry of readdirSync(join(project, folder), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) {
        const path = join(entry.parentPath, entry.name)
        hash.update(path).update('\0').update(readFileSync(path)).update('\0')
      }
  return hash.digest('hex')
}

function idOf({ file, find, replace, tests }: Mutant): string {
  return createHash('sha256')
    .update(JSON.stringify([file, find, replace, tests]))
    .digest('hex')
    .slice(0, 16)
}

/** Minutes and seconds since the start. */
function elapsed(): string {
  const seconds = Math.round((performance.now() - startedMs) / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
