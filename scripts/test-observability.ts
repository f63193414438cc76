// Installs the real Phoenix and MLflow into an ignored folder, and plays the hospital with both as endpoints. It asks
// each by its own API for the trace of the clerk's request: `npm run test:observability [-- --pictures FOLDER]`.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startHospital } from '../demo/hospital.ts'
import { play, readAudit } from '../demo/outcome.ts'
import { freePorts } from '../demo/ports.ts'
import { Processes } from '../demo/processes.ts'
import type { DecisionRecord } from '../src/audit/format/record.ts'
import { spanAttributes } from '../src/telemetry/span-attributes.ts'
import { type Backend, backends, type SeenSpan } from './observability/backends.ts'
import { takePicture } from './observability/pictures.ts'

const project = 'hospital'
const root = join(import.meta.dirname, '..')
const arriveWithinMs = 120_000

type Started = { readonly backend: Backend; readonly base: string }

process.exitCode = await main()

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { pictures: { type: 'string', default: '.run/observability' } } })
  const directory = mkdtempSync(join(tmpdir(), 'waywarden-observability-'))
  const processes = new Processes(directory)
  try {
    const started = await start(processes, directory)
    const problems = await playAndAsk(started, directory, join(root, values.pictures))
    for (const problem of problems) console.error(`✗ ${problem}`)
    return problems.length === 0 ? 0 : 1
  } finally {
    await processes[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function start(processes: Processes, directory: string): Promise<readonly Started[]> {
  const ports = await freePorts(backends.length)
  return Promise.all(
    backends.map(async (backend, index) => {
      const bin = install(backend)
      const port = ports[index] ?? 0
      await processes.start(backend.program(bin, port, directory))
      return { backend, base: `http://127.0.0.1:${port}` }
    }),
  )
}

/** A virtual environment for each, since their dependencies differ; returns where its programs are. */
function install({ name, requirement }: Backend): string {
  const environment = join(root, '.venv-observability', name)
  const bin = join(environment, 'bin')
  if (!existsSync(join(bin, 'pip'))) must('python3', ['-m', 'venv', environment])
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:']
  must(join(bin, 'python'), ['-m', 'pip', 'install', ...options, requirement])
  return bin
}

function must(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`)
}

async function playAndAsk(
  started: readonly Started[],
  directory: string,
  pictures: string,
): Promise<readonly string[]> {
  const experiment = join(directory, 'experiment')
  writeFileSync(experiment, '0\n')
  const headers = [{ name: 'x-mlflow-experiment-id', file: experiment }]
  const endpoints = started.map(({ base, backend }) =>
    backend.name === 'mlflow' ? { url: base, headers } : { url: base },
  )
  // The first request to MLflow waits until it has loaded itself.
  await using hospital = await startHospital({ tracing: { sample: 1, project, timeout: '30s', endpoints } })
  const outcomes = await play(hospital)
  const records = await readAudit(hospital)
  const denied = outcomes.find(({ step }) => step === 'd-reads-records')
  const txn = records.get(denied?.decisionId ?? '')?.txn ?? ''
  const chain = [...records.values()].filter((record) => record.txn === txn)
  const problems: string[] = []
  for (const { backend, base } of started) {
    const spans = await arrive(() => backend.spansOf(base, project, txn), chain)
    const found = compare(spans, chain).map((problem) => `${backend.name}: ${problem}`)
    if (found.length === 0)
      console.log(`✓ ${backend.name}: ${chain.length} checks of one transaction in ${spans.length} spans`)
    problems.push(...found)
    const shown = spans.find(({ attributes }) => attributes[spanAttributes.decisionId] === denied?.decisionId)
    if (shown === undefined) continue
    mkdirSync(pictures, { recursive: true })
    const file = join(pictures, `${backend.name}.png`)
    if (takePicture(await backend.page(base, project, txn, shown), file, directory)) console.log(`  ${file}`)
  }
  return problems
}

/** Asks until every check of the chain has come, or long enough. */
async function arrive(
  read: () => Promise<readonly SeenSpan[]>,
  chain: readonly DecisionRecord[],
): Promise<readonly SeenSpan[]> {
  const endMs = Date.now() + arriveWithinMs
  for (;;) {
    const spans = await read()
    const isWhole = chain.every(({ decisionId }) => checkOf(spans, decisionId) !== undefined)
    if (isWhole || Date.now() > endMs) return spans
    await wait(500)
  }
}

function checkOf(spans: readonly SeenSpan[], decisionId: string | undefined): SeenSpan | undefined {
  return spans.find(({ attributes }) => attributes[spanAttributes.decisionId] === decisionId)
}

/** Everything in which the trace differs from what the records say of the same decisions. */
function compare(spans: readonly SeenSpan[], chain: readonly DecisionRecord[]): readonly string[] {
  if (chain.length < 4) return [`expected a chain of several hops, found ${chain.length} records`]
  const differences = chain.flatMap((record) => {
    const span = checkOf(spans, record.decisionId)
    if (span === undefined) return [`no span of the decision ${record.decisionId}`]
    const minting = chain.find(({ jtiOut }) => jtiOut !== undefined && jtiOut === record.jtiIn)
    const steps = spans.filter(({ parentId }) => parentId === span.spanId).map(({ name }) => name)
    const expected: readonly (readonly [what: string, want: unknown, have: unknown])[] = [
      ['parent', checkOf(spans, minting?.decisionId ?? 'none')?.spanId, span.parentId],
      ['outcome', record.outcome, span.attributes[spanAttributes.outcome]],
      ['code', record.code, span.attributes[spanAttributes.code]],
      ['service', record.service?.name, span.attributes[spanAttributes.service]],
      ['transaction', record.txn, span.attributes[spanAttributes.txn]],
      ['judgement', record.results.length > 0, steps.includes('judge')],
    ]
    return expected
      .filter(([, want, have]) => want !== have)
      .map(
        ([what, want, have]) => `\`${span.name}\`: ${what}: expected ${String(want)}, found ${String(have)}`,
      )
  })
  const roots = spans.filter(({ parentId }) => parentId === undefined)
  return roots.length === 1 ? differences : [...differences, `expected one root, found ${roots.length}`]
}
