import childProcess from 'node:child_process'
import dgram from 'node:dgram'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import workerThreads from 'node:worker_threads'
import Mocha from 'mocha'

// Loaded before all test files (.mocharc.json, scripts/run-tests.mjs): nothing is minted, timed or started when a test
// file is loaded. Its tests may run minutes later, and by then a token has expired. A signature over constants is a
// constant.

const tests = fileURLToPath(new URL('../', import.meta.url))

/** Functions that read a clock, start something or write files: objects, and the names of such functions in them. */
const guarded: readonly (readonly [object: object, names: readonly string[]])[] = [
  [Date, ['now']],
  [globalThis, ['Date', 'setTimeout', 'setInterval', 'setImmediate', 'fetch']],
  [performance, ['now']],
  [process, ['hrtime', 'uptime']],
  [childProcess, ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork']],
  [net.Server.prototype, ['listen']],
  [net.Socket.prototype, ['connect']],
  [dgram.Socket.prototype, ['bind']],
  [workerThreads, ['Worker']],
  [fs, ['mkdtemp', 'mkdtempSync', 'mkdir', 'mkdirSync', 'writeFile', 'writeFileSync', 'createWriteStream']],
  [fs.promises, ['mkdtemp', 'mkdir', 'writeFile']],
]

/** A test file did something when it was loaded that belongs into a hook or a test. */
class LoadError extends Error {
  override readonly name = 'LoadError'
  readonly code = 'done_at_load'
}

const { loadFilesAsync } = Mocha.prototype
Mocha.prototype.loadFilesAsync = async function (...given) {
  const restore = guard()
  try {
    return await loadFilesAsync.apply(this, given)
  } finally {
    restore()
  }
}

/** Refuses all of it to test files; the function that comes back ends that. */
export function guard(): () => void {
  let isOver = false
  const restores = guarded.flatMap(([object, names]) =>
    names.map((name) => replace(object, name, (original) => refuse(original, name, () => isOver))),
  )
  syncBuiltinESMExports()
  return () => {
    isOver = true
    for (const restore of restores.toReversed()) restore()
    syncBuiltinESMExports()
  }
}

type Callable = (...given: unknown[]) => unknown

function replace(object: object, name: string, wrap: (original: Callable) => Callable): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name)
  const original: Callable = Reflect.get(object, name)
  Object.defineProperty(object, name, { value: wrap(original), configurable: true, writable: true })
  return () => {
    if (before === undefined) Reflect.deleteProperty(object, name)
    else Object.defineProperty(object, name, before)
  }
}

function refuse(original: Callable, name: string, isOver: () => boolean): Callable {
  const check = (): void => {
    const place = isOver() ? undefined : callingTest()
    if (place !== undefined)
      throw new LoadError(
        `${place}: \`${name}\` when the file is loaded; do that in \`before\` or in the test`,
      )
  }
  return new Proxy(original, {
    apply(target, self, given) {
      check()
      return Reflect.apply(target, self, given)
    },
    construct(target, given, newTarget) {
      // `new Date(0)` reads no clock.
      if (name !== 'Date' || given.length === 0) check()
      return Reflect.construct(target, given, newTarget)
    },
  })
}

/** The places in test files, and in their support, whose code calls now: those between here and the loading of a module. */
function callingTest(): string | undefined {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 100
  const stack = (new Error('where').stack ?? '').split('\n').slice(1)
  Error.stackTraceLimit = limit
  const loading = stack.findIndex((line) => /node:internal\/modules\/|ModuleJob\.run/.test(line))
  const own = stack
    .slice(0, loading === -1 ? undefined : loading)
    .filter((line) => line.includes(tests) && !line.includes('support/loading.ts'))
  const places = own.flatMap((line) => /(test\/[^:]+:\d+)/.exec(line.replace(tests, 'test/'))?.[1] ?? [])
  return places.length === 0 ? undefined : places.join(' of ')
}
