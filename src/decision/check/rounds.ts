import type { CheckInput } from '../../base/model/check-input.ts'
import { type Deny, isDeny } from '../../base/model/decision.ts'
import { andThen, type MaybePromise } from '../../base/model/maybe-promise.ts'
import { isNeed, type Met, type Need } from '../../base/model/need.ts'
import type { SpiffeId } from '../../base/model/spiffe-id.ts'
import { ask, judgeAsked } from './decide.ts'
import type { Facts } from './facts.ts'
import { type Call, refusal, type Verdict } from './verdict.ts'

/** The parts of the shell that the rounds of one check use. */
export type RoundShell = {
  /** Facts of this moment; the revision and the wall clock stay those of the first round. */
  readonly facts: () => Facts
  /** Meets a need, by a moment of the monotonic clock. */
  readonly meet: (need: Need, byMs: number) => MaybePromise<Met>
  /** Monotonic clock. */
  readonly elapsedMs: () => number
  /** Counts work for a caller, milliseconds; a check that asks again is still one check. */
  readonly charge: (caller: SpiffeId, workMs: number, checks: number) => void
}

const steps = { provider_key: 'fetch provider key', provider_proof: 'prove user token' } as const

/** The part of the time left for which a check waits for a fact; the rest is for its record and its answer. */
const waitShare = 0.9

/**
 * Decides a call, and asks again with each fact that was missing. INVARIANT: a fact is fetched at most once a check. The same
 * need twice is a denial, so that no provider can keep a check in a loop.
 */
export function decideInRounds(
  shell: RoundShell,
  input: CheckInput,
  call: Call,
  facts: Facts,
  startedMs: number,
  deadlineMs: number,
  fetched: readonly string[] = [],
): MaybePromise<Verdict> {
  const decided = decideRound(shell, input, call, facts, startedMs, fetched.length === 0 ? 1 : 0)
  if (!isNeed(decided)) return decided
  const { caller, service } = call
  const refuse = (denial: Deny): Verdict => refusal(denial, { caller, service })
  if (fetched.includes(decided.key)) return refuse(decided.unmet)
  const nowMs = shell.elapsedMs()
  const stop = facts.stopwatch?.step(steps[decided.what])
  return andThen(shell.meet(decided, nowMs + (deadlineMs - nowMs) * waitShare), (met) => {
    stop?.()
    const againMs = shell.elapsedMs()
    if (isDeny(met)) return refuse(met)
    if (againMs > deadlineMs) return refuse(decided.unmet)
    const proofs = met === undefined ? facts.proofs : new Set([...facts.proofs, met.key])
    const again = { ...shell.facts(), proofs }
    return decideInRounds(shell, input, call, again, againMs, deadlineMs, [...fetched, decided.key])
  })
}

function decideRound(
  { elapsedMs, charge }: RoundShell,
  input: CheckInput,
  call: Call,
  facts: Facts,
  startedMs: number,
  checks: number,
): Verdict | Need {
  try {
    const asked = ask(input, call, facts)
    return asked.kind === 'asked' ? judgeAsked(asked, facts) : asked
  } finally {
    charge(call.caller.id, elapsedMs() - startedMs, checks)
  }
}
