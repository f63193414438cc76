import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from './temporary-directory.ts'

/** How a call to git fails: as git itself ends, or as it is ended. */
export const endings = {
  'exit code 128': "echo 'fatal: injected' >&2; exit 128",
  'exit code 1, without a word': 'exit 1',
  SIGKILL: 'kill -9 $$',
} as const

/** A git in front of the real one, of which one call at a time fails. */
export type FailingGit = {
  readonly program: string
  /** Forgets the calls so far. From now on the call of this place, from 1, fails once; without a place, none does. */
  readonly arm: (place?: number, ending?: keyof typeof endings) => void
  /** Calls since it was armed last, each by its arguments. */
  readonly calls: () => readonly string[]
}

/** Makes such a git. Processes that the real git starts itself are real ones. */
export function createFailingGit(): FailingGit {
  const directory = temporaryDirectory()
  const [program, log, fault] = ['git', 'log', 'fault'].map((name) => join(directory, name))
  if (program === undefined || log === undefined || fault === undefined) throw new TypeError('no paths')
  const script = [
    '#!/bin/sh',
    `echo "$@" >> ${log}`,
    // The fault is a file that is named for the place of the call.
    `if [ -e ${fault} ]; then calls=$(wc -l < ${log}); [ -e ${fault}/$calls ] && . ${fault}/$calls; fi`,
    'exec git "$@"',
  ]
  writeFileSync(program, `${script.join('\n')}\n`)
  chmodSync(program, 0o755)
  return {
    program,
    arm(place, ending = 'exit code 128') {
      rmSync(log, { force: true })
      rmSync(fault, { recursive: true, force: true })
      if (place === undefined) return
      mkdirSync(fault)
      writeFileSync(join(fault, String(place)), `rm -r ${fault}; ${endings[ending]}\n`)
    },
    calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  }
}
