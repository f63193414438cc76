import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const project = join(import.meta.dirname, '../..')
const programs = join(project, '.run', 'go')

/** Builds a Go program of loadtest/, which takes half a minute the first time, and says where it is. */
export function buildGo(name: 'client' | 'bare-go'): string {
  mkdirSync(programs, { recursive: true })
  const target = join(programs, name)
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
