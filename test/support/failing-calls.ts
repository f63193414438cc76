import syncFs from 'node:fs'
import fs, { type FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/** Errnos that say nothing about the content of a file. */
export const errnos = ['EMFILE', 'ENFILE', 'EIO', 'ENOMEM', 'EACCES', 'ESTALE', 'ETIMEDOUT'] as const

/** System calls on files below one directory, which fail as the kernel would have them fail. */
export type FailingCalls = Disposable & {
  /** Forgets the calls so far. From now on the call of this place, from 1, fails once; without a place, none does. */
  readonly arm: (place?: number, code?: string) => void
  /** From now on every call on a path that matches fails. */
  readonly failAll: (code: string, path: RegExp) => void
  /** Does something else just before the first call that matches, such as `open …/a.cedar`. */
  readonly onceBefore: (call: RegExp, act: () => void) => void
  /** Calls since it was armed last, such as `open …/revocations.json`. */
  readonly calls: () => readonly string[]
}

type Call = (...args: readonly unknown[]) => Promise<unknown>

const names = [
  'access',
  'lstat',
  'mkdir',
  'open',
  'readFile',
  'readdir',
  'readlink',
  'realpath',
  'rename',
  'rm',
  'stat',
] as const
const handleNames = ['chmod', 'close', 'readFile', 'stat', 'sync', 'writeFile'] as const

/**
 * Takes the place of `node:fs/promises` for everything below a directory until it is disposed of. All else, and every
 * call that is not to fail, goes to the real file system.
 */
export function failCallsUnder(directory: string): FailingCalls {
  const calls: string[] = []
  let armed: { readonly place: number | undefined; readonly code: string } = { place: undefined, code: '' }
  let all: { readonly path: RegExp; readonly code: string } | undefined
  let intruder: { readonly call: RegExp; readonly act: () => void } | undefined
  const enter = (name: string, path: string): Error | undefined => {
    calls.push(`${name} ${path}`)
    if (intruder?.call.test(`${name} ${path}`) === true) {
      const { act } = intruder
      intruder = undefined
      act()
    }
    const code = all?.path.test(path) ? all.code : calls.length === armed.place ? armed.code : undefined
    return code === undefined
      ? undefined
      : Object.assign(new Error(`${code}: injected, ${name} '${path}'`), { code })
  }
  const wrap = (name: string, path: (args: readonly unknown[]) => string, call: Call): Call => {
    return async (...args) => {
      const where = path(args)
      if (!where.startsWith(directory)) return call(...args)
      const failure = enter(name, where)
      // After `close` has failed, the descriptor is free all the same (close(2)).
      if (failure !== undefined && name === 'close') await call(...args)
      if (failure !== undefined) throw failure
      const result = await call(...args)
      return name === 'open' ? wrapHandle(result as FileHandle, where, wrap) : result
    }
  }
  const real = names.map((name) => [name, fs[name]] as const)
  for (const [name, call] of real)
    Reflect.set(
      fs,
      name,
      wrap(name, ([path]) => String(path), call as Call),
    )
  syncBuiltinESMExports()
  return {
    arm(place, code = '') {
      calls.length = 0
      armed = { place, code }
      all = undefined
    },
    failAll(code, path) {
      all = { path, code }
    },
    onceBefore(call, act) {
      intruder = { call, act }
    },
    calls: () => [...calls],
    [Symbol.dispose]() {
      for (const [name, call] of real) Reflect.set(fs, name, call)
      syncBuiltinESMExports()
    },
  }
}

const syncNames = [
  'fstatSync',
  'lstatSync',
  'openSync',
  'readFileSync',
  'readdirSync',
  'readlinkSync',
  'statSync',
] as const

/** Makes synchronous calls fail whose name and path match, such as `readFileSync /proc/1/stat`, until it is disposed of. */
export function failSyncCalls(code: string, call: RegExp): Disposable {
  const real = syncNames.map((name) => [name, syncFs[name]] as const)
  for (const [name, through] of real)
    Reflect.set(syncFs, name, (...args: readonly unknown[]) => {
      if (call.test(`${name} ${args[0]}`))
        throw Object.assign(new Error(`${code}: injected, ${name}`), { code })
      return Reflect.apply(through, syncFs, args)
    })
  syncBuiltinESMExports()
  return {
    [Symbol.dispose]() {
      for (const [name, through] of real) Reflect.set(syncFs, name, through)
      syncBuiltinESMExports()
    },
  }
}

type Wrap = (name: string, path: (args: readonly unknown[]) => string, call: Call) => Call

function wrapHandle(handle: FileHandle, path: string, wrap: Wrap): FileHandle {
  for (const name of handleNames) {
    const call = handle[name].bind(handle) as Call
    Object.defineProperty(handle, name, { value: wrap(name, () => path, call) })
  }
  return handle
}
