import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
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

const require = createRequire(import.meta.url)
const gluePath = require.resolve('@cedar-policy/cedar-wasm/nodejs')
const folder = dirname(gluePath)
let compiled: object | undefined
let glue: ReturnType<typeof compileFunction> | undefined

/**
 * Makes an instance of its own, since one that has thrown is not to be trusted again (it leaks its stack, and after a
 * trap every later call fails). The glue is run anew over one compiled module: requiring it again would compile another
 * and leak 50 MB each time.
 */
export function createCedar(): Cedar {
  compiled ??= new WebAssembly.Module(readFileSync(`${folder}/cedar_wasm_bg.wasm`))
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
