import { toCaller, toChain } from '../audit/format/parse-record.ts'
import type { DecisionRecord } from '../audit/format/record.ts'
import { type Deny, isDeny } from '../base/model/decision.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { judge, type Permission } from '../decision/check/judge.ts'
import { type CatalogService, serviceAt } from '../policy/catalog/catalog.ts'
import { targetOf } from '../policy/catalog/target.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { byEffect, isSameOutcome, type Outcome, toOutcome } from './outcome.ts'
import { judgeSituation } from './situation.ts'
import type { PolicyTest } from './tests/test-file.ts'

/** Requests of one kind that two revisions decide differently. */
export type Change = {
  readonly before: Outcome
  readonly after: Outcome
  readonly service: string
  readonly action: string
  readonly caller: string
  readonly records: number
  readonly tests: number
  /** A decision id, or the name of a test. */
  readonly example: string
}

/** The differences of a second revision. */
export type PolicyDiff = {
  readonly changes: readonly Change[]
  readonly judged: { readonly records: number; readonly tests: number }
  /** Records of requests that never reached the policies. */
  readonly passedOver: number
}

/** Collects differences from records and tests. */
export type DiffBuilder = {
  readonly addRecord: (record: DecisionRecord) => void
  readonly addTest: (test: PolicyTest) => void
  readonly result: () => PolicyDiff
}

type Judged = { readonly decision: Permission | Deny; readonly action: string }
type Source = Pick<Change, 'service' | 'caller' | 'example'> & { readonly of: 'records' | 'tests' }

const maxChanges = 5000

/** Starts a comparison of two revisions. */
export function createDiff(a: Revision, b: Revision): DiffBuilder {
  const changes = new Map<string, Change>()
  const judged = { records: 0, tests: 0 }
  let passedOver = 0
  const compare = (before: Judged, after: Judged, source: Source) => {
    judged[source.of]++
    const [was, is] = [toOutcome(before.decision), toOutcome(after.decision)]
    if (isSameOutcome(was, is)) return
    const { of, service, caller, example } = source
    const action = after.action === '' ? before.action : after.action
    const key = JSON.stringify([was, is, service, action, caller])
    const now = changes.get(key)
    if (now === undefined && changes.size >= maxChanges) return
    const counted = now ?? { before: was, after: is, service, action, caller, records: 0, tests: 0, example }
    changes.set(key, { ...counted, [of]: counted[of] + 1 })
  }
  return {
    addRecord(record) {
      const [before, after] = [judgeAt(record, a), judgeAt(record, b)]
      if (before === undefined || after === undefined) passedOver++
      else {
        compare(before, after, {
          of: 'records',
          service: record.service?.name ?? '',
          caller: callerOf(record),
          example: record.decisionId,
        })
      }
    },
    addTest({ situation, name }) {
      const [before, after] = [a, b].map((revision) => {
        const { decision, matter } = judgeSituation(situation, revision)
        return { decision, action: matter?.target.action.id ?? '' }
      })
      if (before === undefined || after === undefined) return
      const caller = situation.caller === 'ingress' ? 'ingress' : situation.caller.uri
      compare(before, after, { of: 'tests', service: situation.service, caller, example: name })
    },
    result: () => ({ changes: [...changes.values()].sort(byWeight), judged, passedOver }),
  }
}

/** Finds the request in each revision's catalog, which may differ too. `undefined` if it never reached the policies. */
function judgeAt(record: DecisionRecord, revision: Revision): Judged | undefined {
  const caller = toCaller(record)
  const chain = toChain(record)
  const { request, service } = record
  if (isInvalid(caller) || isInvalid(chain) || request === undefined || service === undefined)
    return undefined
  const isCut = record.truncated.some((field) => field === 'request.path' || field.startsWith('target.'))
  const known: CatalogService | undefined =
    revision.catalog.byName.get(service.name) ?? serviceAt(revision.catalog, request.destinationAddress)
  if (isCut) return undefined
  if (known === undefined) return { decision: gone(service.name), action: '' }
  // A record does not tell whether the request was an upgrade; both revisions are asked as if it was not.
  const target = targetOf(known, { ...request, isUpgrade: false })
  if (isDeny(target)) return { decision: target, action: '' }
  return { decision: judge(caller, chain, target, revision), action: target.action.id }
}

function gone(name: string): Deny {
  return { kind: 'deny', code: 'service_unknown', reason: `no service \`${name}\``, results: [] }
}

function callerOf({ caller }: DecisionRecord): string {
  return caller === undefined || caller.isIngress ? 'ingress' : caller.id
}

/** Within one effect, the most frequent come first. */
function byWeight(a: Change, b: Change): number {
  return byEffect(a, b) || b.records + b.tests - (a.records + a.tests)
}
