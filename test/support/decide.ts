import type { CheckInput } from '../../src/base/model/check-input.ts'
import { isDeny } from '../../src/base/model/decision.ts'
import { ask, identify, judgeAsked } from '../../src/decision/check/decide.ts'
import type { Facts } from '../../src/decision/check/facts.ts'
import { refusal, type Verdict } from '../../src/decision/check/verdict.ts'
import { askWithProofs } from './proofs.ts'

/** All pure steps of a check, for a caller that nothing keeps back; what is missing cannot be fetched. */
export function decide(input: CheckInput, facts: Facts): Verdict {
  const call = identify(input, facts)
  if (call.kind === 'verdict') return call
  const asked = askWithProofs((proofs) => ask(input, call, { ...facts, proofs }))
  if (isDeny(asked)) return refusal(asked, call)
  return asked.kind === 'verdict' ? asked : judgeAsked(asked, facts)
}
