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

/** What Envoy is told of a decision: on allow, exactly one chain for the callee or none at all. */
export function toAnswer(
  { decision, caller, chain, onward }: Findings,
  names: HeaderNames,
  decisionId: string,
  policyRevision: string | undefined,
): Answer {
  const txn = onward?.txn ?? (chain?.kind === 'delegated' ? chain.txn : undefined)
  const reference = { decisionId, txn, policyRevision }
  if (isDeny(decision)) return { ...reference, kind: 'deny', code: decision.code }
  const removed = [...overridingHeaders, ...(caller?.isIngress === true ? names.userToken : [])]
  return onward === undefined
    ? { ...reference, kind: 'allow', setHeaders: [], removeHeaders: [...removed, names.chain] }
    : { ...reference, kind: 'allow', setHeaders: [[names.chain, onward.token]], removeHeaders: removed }
}
