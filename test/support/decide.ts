import type { CheckInput } from '../../src/base/model/check-input.ts'
import { ask, identify, judgeAsked } from '../../src/decision/check/decide.ts'
import type { Facts } from '../../src/decision/check/facts.ts'
import { refusal, type Verdict } from '../../src/decision/check/verdict.ts'

/** All pure steps of a check, for a caller that nothing keeps back; what is missing cannot be fetched. */
export function decide(input: CheckInput, facts: Facts): Verdict {
  const call = identify(input, facts)
  if (call.kind === 'verdict') return call
  const asked = ask(input, call, facts)
  if (asked.kind === 'need') return refusal(asked.unmet, call)
  return asked.kind === 'verdict' ? asked : judgeAsked(asked, facts)
}
