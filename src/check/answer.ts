import { rememberEach } from '../cache/remember.ts'
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
  const { decisionId, policyRevision } = reference
  const txn = onward?.txn ?? (chain?.kind === 'delegated' ? chain.txn : undefined)
  if (isDeny(decision) && !isObserving)
    return { kind: 'deny', decisionId, policyRevision, txn, code: decision.code }
  const taken = isObserving ? 'nothing' : caller?.isIngress === true ? 'ingress' : 'agent'
  const removeHeaders = removalsOf(received, names, taken, onward !== undefined)
  const setHeaders = onward === undefined ? [] : [[names.chain, onward.token] as const]
  return isDeny(decision)
    ? { kind: 'observed', decisionId, policyRevision, txn, setHeaders, removeHeaders, code: decision.code }
    : { kind: 'allow', decisionId, policyRevision, txn, setHeaders, removeHeaders }
}

type Taken = 'nothing' | 'agent' | 'ingress'
type Usual = Readonly<
  Record<Taken, { readonly besideChain: readonly string[]; readonly all: readonly string[] }>
>

/** The same list each time for nearly all requests, so that whoever encodes it does so once. */
function removalsOf(
  received: Headers,
  names: HeaderNames,
  taken: Taken,
  hasChild: boolean,
): readonly string[] {
  const { besideChain, all } = usualOf(names)[taken]
  const unusable = names.unusable(received)
  const twins = twinsOf(unusable.length === 0 ? all : [...all, ...unusable], received)
  const usual = hasChild ? besideChain : all
  return unusable.length === 0 && twins.length === 0 ? usual : [...usual, ...unusable, ...twins]
}

const usualOf = rememberEach(({ chain, userToken }: HeaderNames): Usual => {
  const toLists = (taken: readonly string[]) => ({ besideChain: taken, all: [...taken, chain] })
  return {
    nothing: toLists([]),
    agent: toLists(overridingHeaders),
    ingress: toLists([...overridingHeaders, ...userToken]),
  }
})

/** Headers that CGI-like servers take for ours, since they write `-` and `_` alike: only a name with `_` can be one. */
function twinsOf(names: readonly string[], received: Headers): readonly string[] {
  const odd = received.underscored ?? [...received.keys()].filter((name) => name.includes('_'))
  return odd.filter((name) => !names.includes(name) && names.includes(name.replaceAll('_', '-')))
}
