import { at, listAt, textAt } from '../../base/document/kube-object.ts'

/** One entry of an object's `status.conditions`. */
export type Condition = {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** The conditions of an object; none where nobody has written any. */
export function conditionsOf(body: unknown): readonly Condition[] {
  const text = (condition: unknown, key: string): string => textAt(condition, key) ?? ''
  return listAt(body, 'status', 'conditions').map((condition) => ({
    type: text(condition, 'type'),
    status: text(condition, 'status'),
    reason: text(condition, 'reason'),
    message: text(condition, 'message'),
  }))
}

/** How many pods of a Deployment are ready; `undefined` without a `status`. */
export function readyReplicasOf(body: unknown): number | undefined {
  if (at(body, 'status') === undefined) return undefined
  // The API server leaves a count of 0 out.
  const ready = at(body, 'status', 'readyReplicas')
  return typeof ready === 'number' ? ready : 0
}

/** As `readyReplicasOf`, for a pod: 1 or 0. One that is being deleted takes no new requests. */
export function readyPodOf(body: unknown): number | undefined {
  if (at(body, 'status') === undefined) return undefined
  const isLeaving = at(body, 'metadata', 'deletionTimestamp') !== undefined
  const isReady = conditionsOf(body).some(({ type, status }) => type === 'Ready' && status === 'True')
  return isReady && !isLeaving ? 1 : 0
}
