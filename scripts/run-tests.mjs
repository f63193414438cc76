// Runs the test files, two at a time, says after each how far it is, and ends with one line for scripts:
// `N passed, N failed`. `fast` leaves out what needs a real Envoy or the tools of istio/; `all` runs everything
// but mesh/ and image/, which need namespaces or root (npm run test:mesh, npm run test:image).
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const selection = process.argv[2]
if (selection !== 'fast' && selection !== 'all') {
  console.error(`expected \`fast\` or \`all\`, found \`${selection}\``)
  process.exit(2)
}

const isSlow = (file) => /^(?:e2e|istio)\//.test(file)
const files = readdirSync(`${root}test`, { recursive: true })
  .filter((file) => file.endsWith('.test.ts') && !/^(?:mesh|image)\//.test(file))
  .filter((file) => selection === 'all' || !isSlow(file))
  // The slow ones first, so that no process runs one alone at the end.
  .sort((one, other) => Number(isSlow(other)) - Number(isSlow(one)) || (one < other ? -1 : 1))
const waiting = [...files]
const startedMs = performance.now()
const sum = { done: 0, passed: 0, failed: 0 }
const troubles = []

await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work))
for (const { file, output } of troubles) console.log(`\n${file}\n${output}`)
console.log(`\n${files.length} files in ${elapsed()}\n${sum.passed} passed, ${sum.failed} failed`)
process.exit(sum.failed === 0 ? 0 : 1)

/** Runs files in one process until none is left. */
async function work() {
  let child = start()
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const result = await run(child, file)
    tell(file, result)
    if (child.exited) child = start()
  }
  if (!child.exited && !(await end(child))) {
    sum.failed++
    troubles.push({ file: 'after all tests', output: `a test left something running\n${child.output}` })
  }
}

function start() {
  // Files 3 and 4 and no IPC channel: a process that has one takes itself for a worker of Waywarden.
  const stdio = ['ignore', 'pipe', 'pipe', 'pipe', 'pipe']
  const args = ['--import', 'tsx', `${root}scripts/test-process.mjs`]
  const child = spawn(process.execPath, args, { cwd: root, stdio })
  const results = createInterface({ input: child.stdio[4] })
  const started = { child, results, output: '', exited: false }
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      started.output += text
    })
  child.once('exit', () => {
    started.exited = true
  })
  return started
}

/** The result of one file; a process that ends while it runs has failed it. */
function run(started, file) {
  const { child, results } = started
  started.output = ''
  return new Promise((resolve) => {
    const settle = (result) => {
      results.off('line', hear)
      child.off('exit', die)
      // Its earlier output may still be on its way.
      setImmediate(() => resolve({ ...result, output: started.output }))
    }
    const hear = (line) => settle(JSON.parse(line))
    const die = (code, signal) =>
      settle({ passed: 0, failed: 1, how: `the process ended: ${code ?? signal}` })
    results.once('line', hear)
    child.once('exit', die)
    child.stdio[3].write(`test/${file}\n`)
  })
}

function tell(file, { passed, failed, how = '', seconds = 0, output }) {
  sum.done++
  sum.passed += passed
  sum.failed += failed
  const counts = failed > 0 ? `${passed} passed, ${failed} FAILED` : `${passed} passed`
  console.log(`${sum.done}/${files.length}  ${elapsed()}  test/${file}  ${counts}  ${seconds.toFixed(1)} s`)
  if (failed > 0) troubles.push({ file: `test/${file}`, output: `${output}${how}` })
}

/** Minutes and seconds since the start. */
function elapsed() {
  const seconds = Math.round((performance.now() - startedMs) / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** A server or a child process that a test forgot would keep its process, and CI, waiting. */
async function end({ child, results }) {
  let isIdle = false
  results.once('line', () => {
    isIdle = true
    child.kill('SIGKILL')
  })
  child.stdio[3].end()
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const [, signal] = await new Promise((resolve) => child.once('exit', (...how) => resolve(how)))
  clearTimeout(timer)
  return isIdle || signal !== 'SIGKILL'
}
