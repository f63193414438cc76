import { toCaller, toChain, toTarget } from '../audit/format/parse-record.ts'
import type { DecisionRecord } from '../audit/format/record.ts'
import type { Verdict } from '../authoring/situation.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { judge } from '../decision/check/judge.ts'
import type { Revision } from '../policy/revision/revision.ts'

/** Judges the request of a record again; `Invalid` if there was nothing to judge, such as after an early refusal. */
export function judgeRecord(record: DecisionRecord, revision: Revision): Required<Verdict> | Invalid {
  const caller = toCaller(record)
  if (isInvalid(caller)) return caller
  const chain = toChain(record)
  if (isInvalid(chain)) return chain
  const service = revision.catalog.byName.get(record.service?.name ?? '')
  if (service === undefined) return invalid(`the revision has no service \`${record.service?.name ?? ''}\``)
  const target = toTarget(record, service)
  if (isInvalid(target)) return target
  return { decision: judge(caller, chain, target, revision), matter: { caller, chain, target } }
}
