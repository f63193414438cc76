import type { AuditLog } from '../../audit/write/audit-log.ts'
import type { PeerSource } from '../../base/model/caller.ts'
import type { Report } from '../../base/model/event.ts'
import type { Config } from '../../config/config.ts'
import type { OnAnswered } from '../../decision/check/check.ts'
import { compareWith, type Judgeable, toJudgeable } from '../../explain/shadow.ts'
import { createShadowTally, type ShadowTally } from '../../explain/shadow-tally.ts'
import type { Revision } from '../../policy/revision/revision.ts'
import type { FollowedRevision } from '../followed-revision.ts'
import type { StartContext } from '../start-context.ts'
import { createShadowQueue } from './shadow-queue.ts'

/** Judges a share of the decisions again, by a revision that decides nothing. */
export type Shadow = {
  readonly source: FollowedRevision['source']
  readonly names: FollowedRevision['names']
  /** Returns the callback for the answers of one listener. */
  readonly onAnswered: (peer: PeerSource) => OnAnswered
}

type Waiting = { readonly judgeable: Judgeable; readonly decisionId: string; readonly live: string }

const keepEveryMs = 60_000

/** Starts the shadow. Its counts go to the audit log at intervals and at the end. */
export function createShadow(
  { sample, perSecond }: Exclude<Config['policy']['shadow'], undefined>,
  { source, names, current }: FollowedRevision,
  audit: Pick<AuditLog, 'isAvailable' | 'tell'>,
  { closing, report }: Pick<StartContext, 'closing' | 'report'>,
): Shadow {
  const tally = createShadowTally()
  const passOver = (why: 'dropped' | 'failed', count: number) => {
    tally.drop(count)
    report({ kind: 'shadow_passed_over', why, count })
  }
  const queue = createShadowQueue<Waiting>({
    work(waiting) {
      const shadow = current()
      if (shadow === undefined || !judgeAgain(waiting, shadow, tally, report)) passOver('failed', 1)
    },
    onDropped: (count) => passOver('dropped', count),
    sample,
    perSecond,
    random: Math.random,
    elapsedMs: () => performance.now(),
    later: afterAnswers,
  })
  const keep = () => {
    // Counts that cannot be written now are kept. The shadow must not probe a failing disk.
    if (audit.isAvailable()) for (const meta of tally.take()) audit.tell(meta)
  }
  const timer = setInterval(keep, keepEveryMs).unref()
  closing.push({
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      queue.clear()
      keep()
    },
  })
  return {
    source,
    names,
    onAnswered: (peer) => (input, revision, found, decisionId) => {
      if (revision === undefined || source.current === undefined) return
      queue.offer(() => {
        const judgeable = toJudgeable(input, peer, found)
        return judgeable && { judgeable, decisionId, live: revision.id }
      })
    },
  }
}

/** Returns true if the check could be judged. No failure here may affect a served request. */
function judgeAgain(
  { judgeable, decisionId, live }: Waiting,
  shadow: Revision,
  tally: ShadowTally,
  report: Report,
): boolean {
  try {
    const comparison = compareWith(shadow, judgeable)
    if (comparison === undefined) return false
    tally.add(comparison, { decisionId, nowMs: Date.now(), live, shadow: shadow.id })
    const { before, after, service, action, isSame } = comparison
    const codes = { live: before.decision, shadow: after.decision }
    report({ kind: 'shadow_judged', ...codes, isSame, decisionId, service, action })
    return true
  } catch (cause) {
    report({ kind: 'fault', where: 'shadow', cause })
    return false
  }
}

/**
 * An answer is sent in or at the end of the turn that decided it. So the turn after the next one starts after the answer.
 */
function afterAnswers(run: () => void): void {
  setImmediate(() => setImmediate(run))
}
