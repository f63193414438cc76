import type { Readiness } from '../admin/admin-server.ts'

/** The state of a worker; `readiness` is `undefined` while it does not run. */
export type WorkerState = {
  readonly worker: number
  readonly connections: number
  readonly readiness: Readiness | undefined
  /** True if the worker no longer reports, so that `readiness` may be outdated. */
  readonly isSilent: boolean
}

/**
 * Combines the readiness of workers. One ready worker is enough, because connections go to ready workers. Texts of all
 * workers appear once; others have the worker's number.
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

/** A worker that does not answer is not ready, whatever it reported before. */
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

/** Workers poll the source independently, so their revisions may differ for a moment. */
function differences(states: readonly WorkerState[]): readonly string[] {
  const served = states.flatMap(({ readiness }) => readiness?.policy?.revision ?? [])
  return new Set(served).size > 1 ? ['workers decide by different policy revisions'] : []
}
