import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { RecordParts } from '../src/base/model/record-parts.ts'
import { deniedParts } from '../test/support/decision.ts'

// Measures the cost of evidence: writing a log of many decisions, verifying it, and finding a record by the built
// commands. Of twenty decisions one is new; the others were made before, as on a warm path.

const count = Number(process.argv[2] ?? 1_000_000)
if (!Number.isSafeInteger(count) || count < 1000)
  throw new RangeError('expected a number of records, from 1000 on')

const decisionsPerNew = 20
const warmDecisions = 1000
const millisecondsApart = 1
const sampleMs = 100

const root = fileURLToPath(new URL('..', import.meta.url))
const built = join(root, 'dist')
const directory = mkdtempSync(join(root, '.run/audit-'))
const first = deniedParts()

try {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: root })
  const cpuMicros = await write()
  const bytes = sizeOf(directory)
  console.log(`${count.toLocaleString('en')} records, ${(bytes / 2 ** 20).toFixed(0)} MiB`)
  console.log(`written: ${cpuMicros.toFixed(1)} µs CPU and ${(bytes / count).toFixed(0)} bytes a record\n`)
  console.log('| Command | Time | Records/s | Largest RSS |\n| --- | --- | --- | --- |')
  const middle = Math.floor(count / decisionsPerNew / 2)
  const lastMinute = new Date(timeOf(count - 60_000 / millisecondsApart)).toISOString()
  await measure('verify', [directory, '--key', join(directory, 'log-key.pub')])
  await measure('find', [directory, '--user', `user-${middle}`])
  await measure('find', [directory, '--since', lastMinute, '--outcome', 'allow'])
  await measure('prove', [idOf(Math.floor(count / 2)), directory])
} finally {
  rmSync(directory, { recursive: true, force: true })
}

/** Writes the log and says what each record took. */
async function write(): Promise<number> {
  const url = pathToFileURL(join(built, 'audit/open-audit-log.js')).href
  const { openAuditLog }: typeof import('../src/audit/write/open-audit-log.ts') = await import(url)
  await using log = openAuditLog({
    directory,
    mode: 'written',
    stdout: false,
    origin: 'bench',
    report: ({ kind }) => console.error(kind),
  })
  const warm: RecordParts[] = []
  const begun = process.cpuUsage()
  for (let index = 0; index < count; index++) {
    const decision = Math.floor(index / decisionsPerNew)
    if (index % decisionsPerNew === 0) warm[decision % warmDecisions] = newDecision(decision)
    // 7919 is a prime: the decisions come in no order that helps anybody.
    const parts =
      warm[index % decisionsPerNew === 0 ? decision % warmDecisions : (index * 7919) % warm.length]
    if (parts !== undefined) void log.append({ ...parts, decisionId: idOf(index), timeMs: timeOf(index) })
    // Checkpoints and retention have their turn, as in a process that serves.
    if (index % 10_000 === 0) await new Promise(setImmediate)
  }
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / count
}

/** Another user asks, and is judged anew. */
function newDecision(index: number): RecordParts {
  const { chain, decision } = first
  if (chain?.kind !== 'delegated') throw new RangeError('expected a chain')
  const id = `user-${index}`
  const results = decision.results.map((result) => ({ ...result, outcome: 'permit' as const, errors: [] }))
  return {
    ...first,
    decision: { kind: 'allow', results },
    chain: { ...chain, subject: { ...chain.subject, id }, digest: `digest-${index}`, txn: idOf(index) },
  }
}

async function measure(command: string, rest: readonly string[]): Promise<void> {
  const begun = performance.now()
  const child = spawn(process.execPath, [join(built, 'main.js'), 'audit', command, ...rest], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let peakKib = 0
  const sampling = setInterval(() => {
    peakKib = Math.max(peakKib, peakOf(child.pid))
  }, sampleMs)
  const [code] = await once(child, 'close')
  clearInterval(sampling)
  const seconds = (performance.now() - begun) / 1000
  if (code !== 0) throw new RangeError(`\`audit ${command}\` ended with ${code}`)
  const [shown] = rest.filter((word) => word.startsWith('--') && word !== '--key')
  const rate = Math.round(count / seconds).toLocaleString('en')
  const name = `audit ${command}${shown === undefined ? '' : ` ${shown}`}`
  console.log(`| ${name} | ${seconds.toFixed(1)} s | ${rate} | ${(peakKib / 1024).toFixed(0)} MiB |`)
}

/** As Linux tells it; 0 elsewhere, and when the process has ended. */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

function idOf(index: number): string {
  return `0c0ffee0-0000-4000-8000-${String(index).padStart(12, '0')}`
}

function timeOf(index: number): number {
  return first.timeMs + index * millisecondsApart
}

function sizeOf(path: string): number {
  const segments = readdirSync(path).filter((name) => name.endsWith('.ndjson'))
  return segments.reduce((sum, name) => sum + statSync(join(path, name)).size, 0)
}
