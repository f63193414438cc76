import type { Readiness } from '../admin/admin-server.ts'

/** What is known of a worker; `readiness` is `undefined` while it does not run. */
export type WorkerState = {
  readonly worker: number
  readonly connections: number
  readonly readiness: Readiness | undefined
  /** Whether it no longer says anything, so that `readiness` may be what was. */
  readonly isSilent: boolean
}

/**
 * Whether several processes behind one port can decide: when any of them can, for connections are handed to one that does.
 * What all say is said once, what one says with its number.
 */
export function joinReadiness(told: readonly WorkerState[], isDraining: boolean): Readiness {
  const states = told.map(withoutStaleState)
  const ready = !isDraining && states.some(({ readiness }) => readiness?.ready === true)
  const reasons = joinTexts(states, ({ readiness }) => readiness?.reasons ?? ['it does not run'])
  const notices = joinTexts(states, ({ readiness }) => readiness?.notices ?? [])
  const leading = states.find(({ readiness }) => readiness?.ready === true) ?? states[0]
  const { policy, shadow } = leading?.readiness ?? {}
  return {
    ready,
    reasons: isDraining ? ['draining'] : ready ? [] : reasons,
    notices: [...(ready ? reasons : []), ...differences(states), ...notices],
    ...(policy && { policy }),
    shadow,
    workers: states.map(({ worker, connections, readiness }) => ({
      worker,
      ready: readiness?.ready === true,
      connections,
      revision: readiness?.policy?.revision,
    })),
  }
}

/** Who does not answer is not ready, whatever it said before. */
function withoutStaleState(state: WorkerState): WorkerState {
  const { readiness, isSilent } = state
  if (readiness === undefined || !isSilent) return state
  return { ...state, readiness: { ...readiness, ready: false, reasons: ['it does not answer'] } }
}

function joinTexts(
  states: readonly WorkerState[],
  textsOf: (state: WorkerState) => readonly string[],
): readonly string[] {
  const told = states.map((state) => ({ worker: state.worker, texts: textsOf(state) }))
  const isCommon = (text: string): boolean => told.every(({ texts }) => texts.includes(text))
  const texts = told.flatMap(({ worker, texts }) =>
    texts.map((text) => (isCommon(text) ? text : `worker ${worker}: ${text}`)),
  )
  return [...new Set(texts)]
}

/** Workers follow the source one by one, so for a moment they may differ. */
function differences(states: readonly WorkerState[]): readonly string[] {
  const served = states.flatMap(({ readiness }) => readiness?.policy?.revision ?? [])
  return new Set(served).size > 1 ? ['workers decide by different policy revisions'] : []
}
