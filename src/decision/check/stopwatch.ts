import type { Role } from '../../base/model/decision.ts'

/** Times the steps of one check for its trace. Each call begins a step; the returned function ends it. */
export type Stopwatch = {
  readonly step: (name: StepName) => () => void
  /** The question about one principal of the chain. */
  readonly evaluation: (role: Role) => () => void
}

/** The steps that a trace shows, in order. */
export type StepName =
  | 'identify'
  | 'verify chain'
  | 'verify user token'
  | 'prove user token'
  | 'fetch provider key'
  | 'judge'
  | 'extend'
  | 'record'
