import type { Caller } from '../../base/model/caller.ts'
import type { Chain, FirstHop } from '../../base/model/chain.ts'
import type { Service } from '../../base/model/target.ts'
import { pathOf } from '../../policy/catalog/path.ts'
import { overridesMethod, type Request } from '../../policy/catalog/target.ts'

// Keys of what checks remember. Each says all that the remembered function reads and all that a record tells of it, so that
// two values with one key are the same to both. No part can run into the next: texts that anybody may choose come with their
// length. test/decision/check/keys.test.ts changes every field, and test/property/remembered.test.ts whole checks.

/** A first hop has no key: each begins a transaction of its own, so nothing about it is remembered. */
export function keyOfChain(chain: Exclude<Chain, FirstHop>): string {
  if (chain.kind === 'none') return 'none'
  // The digest covers every claim of the token. What we add to it, and what the configuration takes away, it does not.
  const { digest, isRecovered, subject } = chain
  let key = `${digest} ${isRecovered ? 'recovered' : 'presented'} ${withLength(subject.issuerName)}`
  for (const group of subject.groups) key += withLength(group)
  return key
}

/** SPIFFE IDs have no blanks. */
export function keyOfCaller({ id, waypoint, provenBy, isIngress }: Caller): string {
  return `${id.uri} ${waypoint.uri} ${provenBy}${isIngress ? ' ingress' : ''}`
}

/** What a request wants of a service of the revision that serves. The query stays out, but for what makes it ambiguous. */
export function keyOfRequest({ name }: Pick<Service, 'name'>, { method, path, isUpgrade }: Request): string {
  const kind = overridesMethod(path) ? 'override' : isUpgrade ? 'upgrade' : 'request'
  return `${withLength(name)}${kind} ${withLength(method)}${pathOf(path)}`
}

function withLength(text: string): string {
  return `${text.length}:${text}`
}
