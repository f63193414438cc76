import type { RecordParts } from '../../src/audit/record-parts.ts'
import { type CheckDeps, type Checker, createChecker } from '../../src/check/check.ts'
import { judge } from '../../src/check/judge.ts'
import type { CheckInput } from '../../src/model/check-input.ts'
import { deny } from '../../src/model/decision.ts'
import type { Event } from '../../src/model/event.ts'
import type { Revision } from '../../src/revision/revision.ts'
import { targetOf } from '../../src/revision/target.ts'
import { caller, clerk, delegated, hospital } from './identities.ts'
import { mustLoad, policyFiles } from './policy-files.ts'

/** The revision that decides. */
export const revision: Revision = mustLoad(policyFiles())

/** A request of agent D with a chain. */
export const input: CheckInput = {
  sourcePrincipal: '',
  destinationAddress: '10.0.0.1:80',
  method: 'GET',
  path: '/patients/42',
  host: '',
  headers: new Map([['actor-chain', ['good']]]),
  metadata: new Map(),
  tlsPeerUris: [],
}

/** What was built, and what it has said since. */
export type BuiltChecker = Checker & {
  readonly records: readonly RecordParts[]
  readonly events: readonly Event[]
  readonly handedOn: { readonly count: number }
}

/** A checker over the real line with fake edges, and what it recorded and reported. */
export function buildChecker(overlay: Partial<CheckDeps> = {}): BuiltChecker {
  const records: RecordParts[] = []
  const events: Event[] = []
  const handedOn = { count: 0 }
  let ids = 0
  const checker = createChecker({
    header: 'actor-chain',
    peer: 'xfcc',
    identifyCaller: () => caller(hospital.agentD),
    verifyChain: async () => delegated(clerk),
    verifyUserToken: async () => deny('token_missing', ''),
    carriesUserToken: () => false,
    targetOf,
    judge,
    recoverChain: () => undefined,
    isObserving: () => false,
    checkRevoked: () => undefined,
    extendChain: async () => deny('internal_error', 'this service calls nobody'),
    headers: { chain: 'actor-chain', userToken: ['authorization'], ids: [], unusable: () => [] },
    handedOn: () => handedOn.count++,
    revision: () => revision,
    record: (parts) => {
      records.push(parts)
      return true
    },
    report: (event) => events.push(event),
    nowMs: () => 1000,
    elapsedMs: () => 0,
    createDecisionId: () => `id-${++ids}`,
    withinDeadline: (work) => work,
    maxInFlight: 10,
    ...overlay,
  })
  return { ...checker, records, events, handedOn }
}
