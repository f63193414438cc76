import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** The Go programs of loadtest/, built. */
export type GoPrograms = { readonly loadClient: string; readonly bareGo: string }

const project = join(import.meta.dirname, '../..')

/** Builds the Go programs of loadtest/ into a directory; the first time that takes half a minute. */
export function buildGoPrograms(into: string): GoPrograms {
  mkdirSync(into, { recursive: true })
  return { loadClient: build('client', into), bareGo: build('bare-go', into) }
}

/** Builds the load client alone, which takes a few seconds. */
export function build(name: string, into: string): string {
  const target = join(into, name)
  try {
    execFileSync('go', ['build', '-trimpath', '-o', target, `./${name}`], {
      cwd: join(project, 'loadtest'),
      stdio: ['ignore', 2, 2],
    })
  } catch (cause) {
    throw new Error(`loadtest/${name} cannot be built: is Go 1.26 or later on PATH?`, { cause })
  }
  return target
}
