import { rememberEach } from '../../base/cache/remember.ts'
import { createTwinFinder, foldName, type TwinFinder } from '../../base/http/header-name.ts'
import type { Caller } from '../../base/model/caller.ts'
import type { Headers } from '../../base/model/check-input.ts'

/** The request headers that Waywarden owns. */
export type HeaderNames = {
  readonly chain: string
  /** Headers that may carry a user's token; empty if agents may have the token. */
  readonly userToken: readonly string[]
  /** Headers with an id that can find a chain again. */
  readonly ids: readonly string[]
  /** Those of `ids` whose content two readers could read differently. */
  readonly unusable: (received: Headers) => readonly string[]
}

/**
 * Headers that some server or framework uses as the method, the path or a part of the path. The policy guide has this
 * list with the readers of each. `removeHeaders` of a service extends it.
 */
export const overridingHeaders: readonly string[] = [
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-method',
  'x-forwarded-method',
  'x-original-url',
  'x-original-uri',
  'x-original-path',
  'x-rewrite-url',
  'x-override-url',
  'x-http-path-override',
  'x-forwarded-uri',
  'x-forwarded-path',
  'x-script-name',
  'script-name',
  'path-info',
  'x-envoy-original-path',
]

/** A gateway that strips a path prefix writes it here. The header is removed if an agent sends it. */
const prefixHeader = 'x-forwarded-prefix'

/** The waypoint overwrites this header, but not its other spellings. */
const peerHeader = 'x-forwarded-client-cert'

/** Inputs of the removals besides the received headers. */
export type Removing = {
  readonly caller: Pick<Caller, 'isIngress'> | undefined
  readonly isObserving: boolean
  /** True if the answer sets a new chain, which replaces the received one. */
  readonly hasChild: boolean
  /** `removeHeaders` of the service. */
  readonly more: readonly string[]
  /** True if the service receives the token of the user. */
  readonly keepsUserToken: boolean
}

/**
 * Lists the request headers that Envoy must remove: those that Waywarden owns or that override the request, in every
 * spelling that a server might accept. Nearly all requests get the same list object, so that it is encoded once. While
 * observing, only chains and ambiguous ids are removed.
 */
export function removalsOf(
  received: Headers,
  names: HeaderNames,
  { caller, isObserving, hasChild, more, keepsUserToken }: Removing,
): readonly string[] {
  const sender = caller?.isIngress === true ? (keepsUserToken ? 'ingressWithToken' : 'ingress') : 'agent'
  const { besideChain, all, twinsIn } = setsOf(names)(more)[isObserving ? 'observed' : sender]
  const unusable = names.unusable(received)
  const twins = twinsIn(received)
  const usual = hasChild ? besideChain : all
  return unusable.length === 0 && twins.length === 0 ? usual : [...usual, ...unusable, ...twins]
}

type Kind = 'agent' | 'ingress' | 'ingressWithToken' | 'observed'

type RemovalSet = {
  readonly besideChain: readonly string[]
  readonly all: readonly string[]
  readonly twinsIn: TwinFinder
}

const setsOf = rememberEach((names: HeaderNames) =>
  rememberEach((more: readonly string[]) => toSets(names, more)),
)

function toSets(
  { chain, ids, userToken }: HeaderNames,
  more: readonly string[],
): Readonly<Record<Kind, RemovalSet>> {
  const overriding = [...new Set([...overridingHeaders, ...more])].filter(
    (name) => foldName(name) !== foldName(chain),
  )
  const toSet = (removed: readonly string[], twinsOf: readonly string[]): RemovalSet => ({
    besideChain: removed,
    all: [...removed, chain],
    twinsIn: createTwinFinder([...removed, chain, ...ids, ...twinsOf]),
  })
  return {
    agent: toSet([...overriding, prefixHeader], [peerHeader]),
    ingress: toSet([...overriding, ...userToken], [prefixHeader, peerHeader]),
    ingressWithToken: toSet(overriding, [prefixHeader, peerHeader]),
    observed: toSet([], []),
  }
}
