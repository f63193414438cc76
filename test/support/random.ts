import { randomInt } from 'node:crypto'

/** Numbers that look random and follow from their seed: each call gives one from 0 to `below` - 1. */
export type Random = (below: number) => number

/** A linear congruential generator, good enough to pick what a fuzzer does next. */
export function createRandom(seed: number): Random {
  let state = (seed ^ 0x9e37_79b9) >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 0x1_0000_0000) * below)
  }
}

/** The seed of this run of the fuzzers; a title says it, and SEED in the environment repeats it. */
export const seed: number = Number(process.env['SEED'] ?? randomInt(1_000_000))
