import type { Answer } from '../../base/model/answer.ts'
import type { Headers } from '../../base/model/check-input.ts'
import { type Deny, isDeny } from '../../base/model/decision.ts'
import { type HeaderNames, removalsOf } from './removals.ts'
import type { Verdict } from './verdict.ts'

/** Inputs of the answer besides the decision. */
export type Answering = {
  readonly reference: { readonly decisionId: string; readonly policyRevision: string | undefined }
  /** The request's own headers; empty if it could not be decoded. */
  readonly received: Headers
  readonly isObserving: boolean
}

/**
 * Maps a decision to the answer for Envoy. An allow sets exactly one chain or none, and removes misleading headers. While
 * observing, only the chain and ambiguous ids are changed.
 */
export function toAnswer(
  { decision, caller, chain, service, onward }: Verdict,
  names: HeaderNames,
  { reference, received, isObserving }: Answering,
): Answer {
  const { decisionId, policyRevision } = reference
  const txn = onward?.txn ?? (chain?.kind === 'delegated' ? chain.txn : undefined)
  if (isDeny(decision) && !isObserving) return toDenial(decision, { decisionId, policyRevision, txn })
  const removing = {
    caller,
    isObserving,
    hasChild: onward !== undefined,
    more: service?.removeHeaders ?? none,
    keepsUserToken: service?.keepsUserToken === true,
  }
  const removeHeaders = removalsOf(received, names, removing)
  const setHeaders = onward === undefined ? [] : [[names.chain, onward.token] as const]
  return isDeny(decision)
    ? { kind: 'observed', decisionId, policyRevision, txn, setHeaders, removeHeaders, code: decision.code }
    : { kind: 'allow', decisionId, policyRevision, txn, setHeaders, removeHeaders }
}

function toDenial(
  { code, retryAfterSeconds }: Deny,
  reference: Pick<Answer, 'decisionId' | 'policyRevision' | 'txn'>,
): Answer {
  const denial = { kind: 'deny' as const, ...reference, code }
  return retryAfterSeconds === undefined ? denial : { ...denial, retryAfterSeconds }
}

const none: readonly string[] = []
