import type { DecisionRecord } from '../../src/audit/format/record.ts'
import { toRecord } from '../../src/audit/format/to-record.ts'
import { type DenyCode, deny, type PrincipalResult } from '../../src/base/model/decision.ts'
import type { RecordParts } from '../../src/base/model/record-parts.ts'
import { deniedParts, hospitalId } from './decision.ts'

/** The fields of a record that a test sets; the rest is the record of D, for the clerk, at patient-records. */
export type Observed = Partial<RecordParts> & {
  readonly code?: DenyCode | undefined
  readonly results?: readonly PrincipalResult[]
  /** The path of the caller's SPIFFE ID. */
  readonly from?: string
  readonly isIngress?: boolean
}

/** The record of a decision that was observed; `code: undefined` makes it an allow. */
export function observed({
  from,
  isIngress = false,
  code,
  results = [],
  ...parts
}: Observed): DecisionRecord {
  const whole = deniedParts()
  const caller = whole.caller && {
    ...whole.caller,
    isIngress,
    id: from === undefined ? whole.caller.id : hospitalId(from),
  }
  const decision =
    code === undefined ? ({ kind: 'allow', results } as const) : deny(code, 'for a test', results)
  return toRecord({ ...whole, isObserved: true, caller, decision, ...parts })
}

/** The target of a request. */
export function asked(fields: Partial<NonNullable<RecordParts['input']>>): RecordParts['input'] {
  return {
    method: 'GET',
    path: '/orders/17',
    host: 'orders.shop.svc.cluster.local:80',
    destinationAddress: '10.96.0.77:80',
    headers: new Map(),
    ...fields,
  }
}
