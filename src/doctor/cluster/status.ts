import { at, listAt, textAt } from '../../base/document/kube-object.ts'

/** One entry of an object's `status.conditions`. */
export type Condition = {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** Returns the conditions of an object; empty if its status has none. */
export function conditionsOf(body: unknown): readonly Condition[] {
  const text = (condition: unknown, key: string): string => textAt(condition, key) ?? ''
  return listAt(body, 'status', 'conditions').map((condition) => ({
    type: text(condition, 'type'),
    status: text(condition, 'status'),
    reason: text(condition, 'reason'),
    message: text(condition, 'message'),
  }))
}

/** Returns the number of ready pods of a Deployment; `undefined` without a `status`. */
export function readyReplicasOf(body: unknown): number | undefined {
  if (at(body, 'status') === undefined) return undefined
  // The API server omits a count of 0.
  const ready = at(body, 'status', 'readyReplicas')
  return typeof ready === 'number' ? ready : 0
}

/** Like `readyReplicasOf`, for a pod: 1 or 0. A pod that is being deleted gets no new requests. */
export function readyPodOf(body: unknown): number | undefined {
  if (at(body, 'status') === undefined) return undefined
  const isLeaving = at(body, 'metadata', 'deletionTimestamp') !== undefined
  const isReady = conditionsOf(body).some(({ type, status }) => type === 'Ready' && status === 'True')
  return isReady && !isLeaving ? 1 : 0
}
