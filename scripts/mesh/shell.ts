import { execFileSync } from 'node:child_process'

/** Runs a program and returns what it printed; its error output is in the message when it fails. */
export function run(command: string, args: readonly string[], directory?: string): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], cwd: directory })
}

/** A word for a shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** Waits until a condition holds; fails with what was expected and what was found last. */
export async function until<T>(
  what: string,
  find: () => Promise<T | undefined> | T | undefined,
  withinMs = 120_000,
): Promise<T> {
  const giveUpAtMs = performance.now() + withinMs
  let failure: unknown
  while (performance.now() < giveUpAtMs) {
    try {
      const found = await find()
      if (found !== undefined) return found
      failure = undefined
    } catch (error) {
      failure = error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const last = failure === undefined ? '' : `; the last attempt failed: ${String(failure)}`
  throw new Error(`expected ${what} within ${withinMs / 1000} s${last}`)
}
