import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { compileFunction } from 'node:vm'

type Package = typeof import('@cedar-policy/cedar-wasm/nodejs')

/** The functions of one cedar-wasm instance. */
export type Cedar = Omit<Package, 'statefulIsAuthorized'> & {
  /** `statefulIsAuthorized` with JSON texts, because objects would be serialized once more on the way. */
  readonly authorize: (call: string) => string
}

// Node has it, but only the DOM's types declare it.
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object; readonly Instance: unknown }

// Node 20's V8 can crash the process ("unreachable code", Deoptimizer::DoComputeBuiltinContinuation). It happens if a
// function with an inlined Wasm call is deoptimized during that call, which garbage collection can cause.
setFlagsFromString('--no-turbo-inline-js-wasm-calls')

// Optimizing hot code briefly needs much memory, which malloc keeps for the requesting thread. One thread at a time saves
// 20 MB and is fast enough.
setFlagsFromString('--wasm-num-compilation-tasks=1')

const require = createRequire(import.meta.url)
const gluePath = require.resolve('@cedar-policy/cedar-wasm/nodejs')
const folder = dirname(gluePath)
const bytesPath = join(folder, 'cedar_wasm_bg.wasm')
let compiled: object | undefined
let glue: ReturnType<typeof compileFunction> | undefined

/** The engine failed on the size or depth of a file, or for lack of memory. It would have refused invalid content. */
export class EngineBroken extends Error {
  override readonly name = 'EngineBroken'
  readonly code = 'engine_broken'
}

/** Runs an engine call about a file. An exception names that file. The instance must not be used again afterwards. */
export function namingFile<R>(file: string, ask: () => R): R {
  try {
    return ask()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new EngineBroken(
      `${file}: the policy engine broke on it (${message}); make it smaller or less deep`,
      {
        cause,
      },
    )
  }
}

/** Compiles the engine, once. V8 compiles functions when they are first called, and again when they are hot. */
export function compileCedar(): void {
  compiled ??= new WebAssembly.Module(readFileSync(bytesPath))
}

/**
 * Compiles the engine for a short-lived thread, where optimizing costs more than it saves. INVARIANT: the serving module
 * is already compiled, because the flag affects all later modules of the process.
 */
export function compileCedarBriefly(): void {
  setFlagsFromString(`--wasm-tiering-budget=${briefBudget}`)
  // V8 shares code between modules with equal bytes. An empty custom section makes this module different.
  compiled ??= new WebAssembly.Module(Buffer.concat([readFileSync(bytesPath), customSection]))
}

/** A hundred times V8's budget before a function is hot. With thousands of policies optimizing still pays. */
const briefBudget = 180_000_000
/** Id 0, 2 bytes long: a name of one letter, and no content (WebAssembly 5.5.3). */
const customSection = Uint8Array.of(0, 2, 1, 0x62)

/**
 * Creates a separate instance, because one that has thrown is unreliable: it leaks its stack, and after a trap every
 * later call fails. The glue code runs again over the one compiled module. Requiring it again would compile another and
 * leak 50 MB each time.
 */
export function createCedar(): Cedar {
  compileCedar()
  glue ??= compileFunction(readFileSync(gluePath, 'utf8'), [
    'exports',
    'require',
    '__dirname',
    'WebAssembly',
    'JSON',
  ])
  const module = compiled
  const exports: Record<string, unknown> = {}
  const webAssembly = {
    Module: function Module() {
      return module
    },
    Instance: WebAssembly.Instance,
  }
  // The glue reads only the file to compile, which is compiled already.
  const requireNothing = () => ({ readFileSync: () => undefined })
  let isText = false
  const json = {
    stringify: (value: unknown) => (isText ? value : JSON.stringify(value)),
    parse: (text: string): unknown => (isText ? text : JSON.parse(text)),
  }
  glue(exports, requireNothing, folder, webAssembly, json)
  // The package's declaration describes the glue's `exports`, except for the texts.
  const cedar = exports as Package & { readonly statefulIsAuthorized: (call: unknown) => unknown }
  const authorize = (call: string) => {
    isText = true
    try {
      return cedar.statefulIsAuthorized(call) as string
    } finally {
      isText = false
    }
  }
  return { ...cedar, authorize }
}
