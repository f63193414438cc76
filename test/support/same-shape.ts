import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'

/** Whether V8 has one hidden class for both objects: thousands of objects with one each weigh three times as much. */
export function haveSameShape(one: object, other: object): boolean {
  setFlagsFromString('--allow-natives-syntax')
  try {
    const ask: unknown = runInThisContext('(one, other) => %HaveSameMap(one, other)')
    return typeof ask === 'function' && ask(one, other) === true
  } finally {
    // Only now: the function is compiled when it is called.
    setFlagsFromString('--no-allow-natives-syntax')
  }
}
