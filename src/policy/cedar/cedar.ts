import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { compileFunction } from 'node:vm'

type Package = typeof import('@cedar-policy/cedar-wasm/nodejs')

/** The functions of one cedar-wasm instance. */
export type Cedar = Omit<Package, 'statefulIsAuthorized'> & {
  /** `statefulIsAuthorized`, asked and answering in JSON: an object would be written and read once more on its way. */
  readonly authorize: (call: string) => string
}

// Node has it; only the DOM's types, which are not for servers, declare it.
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => object; readonly Instance: unknown }

// Node 20's V8 ends the whole process ("unreachable code", Deoptimizer::DoComputeBuiltinContinuation) when a function into
// which it has inlined a call of Wasm is deoptimized during that call, as garbage collection may do at any time.
setFlagsFromString('--no-turbo-inline-js-wasm-calls')

// What optimizes hot code takes much memory for a moment, and malloc keeps it for the thread that asked: one thread at a
// time leaves 20 MB less, and is done soon enough.
setFlagsFromString('--wasm-num-compilation-tasks=1')

const require = createRequire(import.meta.url)
const gluePath = require.resolve('@cedar-policy/cedar-wasm/nodejs')
const folder = dirname(gluePath)
const bytesPath = join(folder, 'cedar_wasm_bg.wasm')
let compiled: object | undefined
let glue: ReturnType<typeof compileFunction> | undefined

/** The engine broke: not on what a file says, which it would have refused, but on its size or depth, or for want of memory. */
export class EngineBroken extends Error {
  override readonly name = 'EngineBroken'
  readonly code = 'engine_broken'
}

/** Asks the engine about a file; what the engine throws names that file. The instance is not to be asked again. */
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

/** Compiles the engine, unless that is done. Functions are compiled when they are first called, and again once they are hot. */
export function compileCedar(): void {
  compiled ??= new WebAssembly.Module(readFileSync(bytesPath))
}

/**
 * Compiles it for a thread that soon ends, where to optimize costs more than it ever saves. INVARIANT: the module that
 * serves is compiled already, for the flag holds for every module that this process compiles later.
 */
export function compileCedarBriefly(): void {
  setFlagsFromString(`--wasm-tiering-budget=${briefBudget}`)
  // V8 gives modules of equal bytes one code, so these differ, by an empty custom section.
  compiled ??= new WebAssembly.Module(Buffer.concat([readFileSync(bytesPath), customSection]))
}

/** A hundred times what V8 lets a function spend before it is hot: thousands of policies are still worth it. */
const briefBudget = 180_000_000
/** Id 0, 2 bytes long: a name of one letter, and no content (WebAssembly, 5.5.3). */
const customSection = Uint8Array.of(0, 2, 1, 0x62)

/**
 * Makes an instance of its own, since one that has thrown is not to be trusted again (it leaks its stack, and after a
 * trap every later call fails). The glue is run anew over one compiled module: requiring it again would compile another
 * and leak 50 MB each time.
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
  // The glue asks only for files it is about to compile; the compiled module makes reading them superfluous.
  const requireNothing = () => ({ readFileSync: () => undefined })
  let isText = false
  const json = {
    stringify: (value: unknown) => (isText ? value : JSON.stringify(value)),
    parse: (text: string): unknown => (isText ? text : JSON.parse(text)),
  }
  glue(exports, requireNothing, folder, webAssembly, json)
  // The package's own declaration describes what the glue has just put into `exports`, but for the texts.
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
