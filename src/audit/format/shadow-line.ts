import * as v from 'valibot'
import { type DenyCode, denyCodes } from '../../base/model/decision.ts'

/**
 * Differences that a second policy revision would have made over a short time. It is not a decision, so it is not a
 * record. It contains counts, so that a revision that differs everywhere does not fill the disk.
 */
export type ShadowLine = {
  readonly version: 1
  readonly kind: 'shadow'
  /** ISO 8601, UTC: from the first to the last check that was judged again. */
  readonly since: string
  readonly until: string
  /** `live` made the decisions; `shadow` judged them again. */
  readonly live: string
  readonly shadow: string
  /** Checks that were judged again, and checks that were dropped because of too many at once or a fault. */
  readonly judged: number
  readonly dropped: number
  readonly differences: readonly ShadowDifference[]
  /** Checks that differed but are not in `differences`, because there were too many distinct names. */
  readonly cut: number
}

/** Checks of one kind: one service, action and caller, with both outcomes. It names no user. */
export type ShadowDifference = {
  readonly service: string
  readonly action: string
  readonly caller: string
  readonly before: ShadowOutcome
  readonly after: ShadowOutcome
  readonly count: number
  /** The ids of a few of the decisions. */
  readonly examples: readonly string[]
}

/** `allow`, or the code of a refusal, with the refused principals and the policies. */
export type ShadowOutcome = {
  readonly decision: 'allow' | DenyCode
  readonly deniedBy: readonly string[]
  readonly policies: readonly string[]
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const texts = v.array(v.string())
const time = v.pipe(v.string(), v.isoTimestamp())
const outcome = v.object({
  decision: v.picklist(['allow', ...denyCodes]),
  deniedBy: texts,
  policies: texts,
})

/** The schema of a line of kind `shadow`. */
export const shadowLine: v.GenericSchema<unknown, ShadowLine> = v.object({
  version: v.literal(1),
  kind: v.literal('shadow'),
  since: time,
  until: time,
  live: v.string(),
  shadow: v.string(),
  judged: count,
  dropped: count,
  differences: v.array(
    v.object({
      service: v.string(),
      action: v.string(),
      caller: v.string(),
      before: outcome,
      after: outcome,
      count,
      examples: texts,
    }),
  ),
  cut: count,
})
