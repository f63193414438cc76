import { readdirSync, readFileSync } from 'node:fs'
import * as v from 'valibot'
import { parse } from 'yaml'

/** A small change of the code that breaks one rule. */
export type Mutant = {
  /** The attack or fault that the change would allow. */
  readonly idea: string
  readonly file: string
  /** Stands in the file just once. */
  readonly find: string
  readonly replace: string
  /** Files of tests, of which at least one must fail. */
  readonly tests: readonly string[]
}

const list = v.strictObject({
  file: v.string(),
  tests: v.pipe(v.array(v.string()), v.minLength(1)),
  mutants: v.array(
    v.strictObject({
      idea: v.string(),
      find: v.pipe(v.string(), v.nonEmpty()),
      replace: v.string(),
      tests: v.optional(v.pipe(v.array(v.string()), v.minLength(1))),
    }),
  ),
})

const folder = new URL('./', import.meta.url)

/** All mutants of scripts/mutants/*.yaml, one file for each file of the code. */
export function readMutants(): readonly Mutant[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .flatMap((name) => {
      const { file, tests, mutants } = v.parse(list, parse(readFileSync(new URL(name, folder), 'utf8')))
      return mutants.map(({ tests: own = tests, ...mutant }) => ({ file, ...mutant, tests: own }))
    })
}
