import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Invalid } from '../../base/model/invalid.ts'
import type { Problems } from '../../base/model/problems.ts'
import { parseRevocationsInSteps, type Revocations } from './revocations.ts'

/**
 * Does what `parseRevocations` does, with one turn of the event loop for each step, so that checks continue meanwhile.
 */
export async function parseRevocationsInTurns(file: Buffer): Promise<Revocations | Problems<Invalid>> {
  const steps = parseRevocationsInSteps(file)
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value
    await nextTurn()
  }
}
