import * as v from 'valibot'
import { type DenyCode, denyCodes } from '../../base/model/decision.ts'

/**
 * What a second policy revision would have decided otherwise over a short time: no decision, so no record. Counted, so that
 * a revision that differs in everything fills no disk.
 */
export type ShadowLine = {
  readonly version: 1
  readonly kind: 'shadow'
  /** ISO 8601, UTC: from the first check that was judged again to the last. */
  readonly since: string
  readonly until: string
  /** The revision that decided, and the one that did not. */
  readonly live: string
  readonly shadow: string
  /** Checks judged again, and those that were to be and were not: too many at once, or a fault. */
  readonly judged: number
  readonly dropped: number
  readonly differences: readonly ShadowDifference[]
  /** Checks that were decided otherwise but, for too many distinct names, stand in no difference. */
  readonly cut: number
}

/** Checks of one kind: one service, action and caller, decided so and otherwise. It names no user. */
export type ShadowDifference = {
  readonly service: string
  readonly action: string
  readonly caller: string
  readonly before: ShadowOutcome
  readonly after: ShadowOutcome
  readonly count: number
  /** Ids of a few of the decisions. */
  readonly examples: readonly string[]
}

/** `allow`, or the code of a refusal, who refused and by which policies. */
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

/** What a line of kind `shadow` must be. */
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
