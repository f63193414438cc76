import { ask, identify, judgeAsked, type Verdict } from '../../src/check/decide.ts'
import type { Facts } from '../../src/check/facts.ts'
import type { CheckInput } from '../../src/model/check-input.ts'

/** All pure steps of a check, for a caller that nothing keeps back. */
export function decide(input: CheckInput, facts: Facts): Verdict {
  const call = identify(input, facts)
  if (call.kind === 'verdict') return call
  const asked = ask(input, call, facts)
  return asked.kind === 'verdict' ? asked : judgeAsked(asked, facts)
}
