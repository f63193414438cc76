import type { Answer } from '../model/answer.ts'
import { isDeny } from '../model/decision.ts'
import type { Findings } from './line.ts'

/** Which request headers Waywarden owns. */
export type HeaderNames = {
  readonly chain: string
  /** Where an ingress peer carries the user's token; empty when agents are to have it. */
  readonly userToken: readonly string[]
}

/** Some servers take these for the method or path that was really asked for. */
const overridingHeaders = [
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
] as const

/**
 * What Envoy is told of a decision: on allow, exactly one chain for the callee or none at all. While observing, nothing
 * else of a request is changed.
 */
export function toAnswer(
  { decision, caller, chain, onward }: Findings,
  names: HeaderNames,
  reference: { readonly decisionId: string; readonly policyRevision: string | undefined },
  isObserving: boolean,
): Answer {
  const txn = onward?.txn ?? (chain?.kind === 'delegated' ? chain.txn : undefined)
  const common = { ...reference, txn }
  if (isDeny(decision) && !isObserving) return { ...common, kind: 'deny', code: decision.code }
  const taken = caller?.isIngress === true ? [...overridingHeaders, ...names.userToken] : overridingHeaders
  const removed = isObserving ? [] : taken
  const changes =
    onward === undefined
      ? { setHeaders: [], removeHeaders: [...removed, names.chain] }
      : { setHeaders: [[names.chain, onward.token] as const], removeHeaders: removed }
  return isDeny(decision)
    ? { ...common, ...changes, kind: 'observed', code: decision.code }
    : { ...common, ...changes, kind: 'allow' }
}
