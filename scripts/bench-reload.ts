import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { candidateEntry } from '../src/authoring/tests/candidate-entry.ts'
import { followFiles } from '../src/base/follow/followed-files.ts'
import { isProblems } from '../src/base/model/problems.ts'
import { countRevocations, type Revocations } from '../src/decision/chain/revocations.ts'
import { parseRevocationsInTurns } from '../src/decision/chain/revocations-in-turns.ts'
import { rehearse } from '../src/policy/revision/rehearsal.ts'
import { openRevisionSource, type RevisionSource } from '../src/policy/revision/revision-source.ts'
import { type PolicyFiles, toPolicyFiles } from '../src/policy/source/policy-files.ts'
import type { PolicySource } from '../src/policy/source/policy-source.ts'
import { largeRepository } from '../test/support/large-repository.ts'
import { measureHeap } from '../test/support/memory.ts'

// Measures how long a reload delays requests: the longest pause of the event loop while revisions of many policies are
// proven and activated under load. The same load without reloads is measured beside it.

const policies = Number(process.argv[2] ?? 1000)
const reloads = Number(process.argv[3] ?? 10)
const revoked = process.argv[4] === undefined ? [100_000, 500_000] : [Number(process.argv[4])]
const patients = Number(process.argv[5] ?? 10_000)
const tickMs = 5

const script: PolicySource & { says: PolicyFiles } = {
  name: 'bench',
  says: largeRepository(policies, patients),
  recall: async () => undefined,
  look: async () => ({ kind: 'found', files: script.says, pinned: undefined, notices: [] }),
  accept: async () => {},
  intervalMs: 3_600_000,
  close: () => {},
}
const source = await openRevisionSource({
  source: script,
  load: {},
  prover: candidateEntry,
  runsTests: true,
  maxStalenessMs: undefined,
  keep: async () => {},
  onServed: () => {},
  report: () => {},
  nowMs: Date.now,
})
// The first revision may take longer than the opening waits for it.
while (source.current === undefined && source.problems.length === 0) await source.refresh()
await measure(() => wait(500))
const quiet = await measure(() => wait(5000))
const candidates = Array.from({ length: reloads }, (_, round) => candidate(round))
const reloadMs: number[] = []
const busy = await measure(async () => {
  for (const files of candidates) reloadMs.push(await reload(source, files))
})
const revocations: object[] = []
for (const count of revoked) revocations.push(await measureRevocations(count))
console.log(
  JSON.stringify(
    { policies, patients, reloads, reloadMs: reloadMs.map(Math.round), quiet, busy, revocations },
    undefined,
    2,
  ),
)
await source[Symbol.asyncDispose]()

/** The same while a file of so many revocations replaces a small one, by the path that the server takes; and how much memory that takes for good. */
async function measureRevocations(revoked: number): Promise<object> {
  const path = join(mkdtempSync(join(tmpdir(), 'waywarden-bench-')), 'revocations.json')
  const entries = Array.from({ length: revoked }, (_, index) => toEntry(index)).join(',\n')
  const file = Buffer.from(`{"version":1,"entries":[${entries}]}`)
  writeFileSync(path, '{"version":1,"entries":[]}')
  const opened = await followFiles<Revocations>({
    paths: [path],
    pollMs: 3_600_000,
    async parse(contents) {
      const parsed = await parseRevocationsInTurns(contents.get(path) ?? Buffer.alloc(0))
      return isProblems(parsed)
        ? { ...parsed, problems: parsed.problems.map(({ reason }) => reason) }
        : parsed
    },
    onRead: () => {},
    onNews: (news) => console.error(news),
  })
  if (isProblems(opened)) throw new TypeError(opened.problems.join('\n'))
  writeFileSync(path, file)
  const takenMs: number[] = []
  const { made: delays, bytes } = await measureHeap(() =>
    measure(async () => {
      const startedMs = performance.now()
      await opened.files.poller.refresh()
      takenMs.push(performance.now() - startedMs)
    }),
  )
  const found = countRevocations(opened.files.current)
  if (found !== revoked) throw new TypeError(`expected ${revoked} revocations, found ${found}`)
  await opened.files[Symbol.asyncDispose]()
  rmSync(dirname(path), { recursive: true })
  const megabytes = { file: Math.round(file.length / 1e6), heap: Math.round(bytes / 1e6) }
  return { entries: revoked, takenMs: takenMs.map(Math.round), megabytes, ...delays }
}

function toEntry(index: number): string {
  const notBefore = index % 2 === 0 ? '' : ',"not_before":1790000000'
  return `{"actor":"spiffe://hospital.example/ns/billing/sa/agent-${index}"${notBefore}}`
}

function candidate(round: number): PolicyFiles {
  return toPolicyFiles(
    new Map([...largeRepository(policies, patients).files, ['team0/round.cedar', `// ${round}\n`]]),
  )
}

async function reload(following: RevisionSource, files: PolicyFiles): Promise<number> {
  script.says = files
  const startedMs = performance.now()
  await following.refresh()
  if (following.problems.length > 0) throw new TypeError(following.problems.join('\n'))
  return performance.now() - startedMs
}

type Delays = Readonly<Record<'p50' | 'p99' | 'max' | 'longestTurn', number>>

/**
 * Measures the event loop's delays in milliseconds while `work` goes on and a request is decided every few
 * milliseconds. The longest turn in CPU time of this thread is measured too, because other processes do not lengthen
 * it.
 */
async function measure(work: () => Promise<unknown>): Promise<Delays> {
  const delays = monitorEventLoopDelay({ resolution: 1 })
  const load = setInterval(() => ask(source), tickMs)
  const turns = watchTurns()
  delays.enable()
  await work()
  delays.disable()
  clearInterval(load)
  const toMs = (nanoseconds: number) => Math.round(nanoseconds / 1e4) / 100
  return {
    p50: toMs(delays.percentile(50)),
    p99: toMs(delays.percentile(99)),
    max: toMs(delays.max),
    longestTurn: toMs(turns.stop()),
  }
}

function watchTurns(): { readonly stop: () => number } {
  let longest = 0
  let before = processorNanoseconds()
  const timer = setInterval(() => {
    const now = processorNanoseconds()
    longest = Math.max(longest, now - before)
    before = now
  }, 1)
  return {
    stop() {
      clearInterval(timer)
      return longest
    },
  }
}

/** The CPU time of the main thread so far; Linux only. */
function processorNanoseconds(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ', 1)[0])
  } catch {
    return 0
  }
}

function ask({ current }: RevisionSource): void {
  const service = current?.catalog.services[Math.floor(Math.random() * current.catalog.services.length)]
  if (current === undefined || service === undefined) throw new TypeError('expected a revision')
  rehearse({ catalog: { ...current.catalog, services: [service] }, evaluate: current.evaluate })
}
