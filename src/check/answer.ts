import type { Answer } from '../model/answer.ts'
import type { Headers } from '../model/check-input.ts'
import { isDeny } from '../model/decision.ts'
import type { Findings } from './line.ts'

/** Which request headers Waywarden owns. */
export type HeaderNames = {
  readonly chain: string
  /** Where an ingress peer carries the user's token; empty when agents are to have it. */
  readonly userToken: readonly string[]
  /** Ids by which a chain might be found again that two readers could read differently. */
  readonly unusable: (received: Headers) => readonly string[]
}

/** Some servers take these for the method or path that was really asked for. */
const overridingHeaders = [
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
] as const

/** What the answer depends on besides the decision. */
export type Answering = {
  readonly reference: { readonly decisionId: string; readonly policyRevision: string | undefined }
  /** The request's own headers; none when it could not be decoded. */
  readonly received: Headers
  readonly isObserving: boolean
}

/**
 * What Envoy is told of a decision: on allow, exactly one chain for the callee or none at all. While observing, nothing
 * else of a request is changed.
 */
export function toAnswer(
  { decision, caller, chain, onward }: Findings,
  names: HeaderNames,
  { reference, received, isObserving }: Answering,
): Answer {
  const txn = onward?.txn ?? (chain?.kind === 'delegated' ? chain.txn : undefined)
  const common = { ...reference, txn }
  if (isDeny(decision) && !isObserving) return { ...common, kind: 'deny', code: decision.code }
  const taken = caller?.isIngress === true ? [...overridingHeaders, ...names.userToken] : overridingHeaders
  const removed = [...(isObserving ? [] : taken), ...names.unusable(received)]
  const twins = twinsOf([...removed, names.chain], received)
  const changes =
    onward === undefined
      ? { setHeaders: [], removeHeaders: [...removed, names.chain, ...twins] }
      : { setHeaders: [[names.chain, onward.token] as const], removeHeaders: [...removed, ...twins] }
  return isDeny(decision)
    ? { ...common, ...changes, kind: 'observed', code: decision.code }
    : { ...common, ...changes, kind: 'allow' }
}

/** Headers that CGI-like servers take for ours, since they write `-` and `_` alike: only a name with `_` can be one. */
function twinsOf(names: readonly string[], received: Headers): readonly string[] {
  const odd = received.underscored ?? [...received.keys()].filter((name) => name.includes('_'))
  return odd.filter((name) => !names.includes(name) && names.includes(name.replaceAll('_', '-')))
}
