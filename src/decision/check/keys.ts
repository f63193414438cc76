import type { Caller } from '../../base/model/caller.ts'
import type { Chain, FirstHop } from '../../base/model/chain.ts'
import type { Service } from '../../base/model/target.ts'
import { pathOf } from '../../policy/catalog/path.ts'
import { overridesMethod, type Request } from '../../policy/catalog/target.ts'

// Cache keys of checks. A key covers everything that the cached function reads and everything that a record shows of it.
// So two values with the same key are interchangeable. Texts that a client can choose are written with their length, so
// that no part can run into the next. test/decision/check/keys.test.ts changes every field, and
// test/property/remembered.test.ts tests whole checks.

/**
 * The key of a judgement about a first hop: what the policies see of the user, and the groups that only a reason names.
 * The times of the token are not judged.
 */
export function keyOfFirstHop({ subject, unlistedGroups, scopes }: FirstHop): string {
  const { issuerName, issuer, id, groups } = subject
  const lists = [groups, scopes, unlistedGroups ?? []]
  const listed = lists.map((texts) => `${texts.length}:${texts.map(withLength).join('')}`)
  const has = unlistedGroups === undefined ? 'listed' : 'unlisted'
  return `first-hop ${has} ${[issuerName, issuer, id].map(withLength).join('')}${listed.join('')}`
}

/** The key of a question that a record can repeat. A first hop has none: it begins a new transaction. */
export function keyOfChain(chain: Exclude<Chain, FirstHop>): string {
  if (chain.kind === 'none') return 'none'
  // The digest covers every claim of the token. It does not cover what recovery adds and what the configuration removes.
  const { digest, isRecovered, subject } = chain
  let key = `${digest} ${isRecovered ? 'recovered' : 'presented'} ${withLength(subject.issuerName)}`
  for (const group of subject.groups) key += withLength(group)
  return key
}

/** SPIFFE IDs contain no blanks, so a blank separates them. */
export function keyOfCaller({ id, waypoint, provenBy, isIngress }: Caller): string {
  return `${id.uri} ${waypoint.uri} ${provenBy}${isIngress ? ' ingress' : ''}`
}

/**
 * The key of a request to a service of the serving revision. The query is left out, except the parts that make a request
 * ambiguous.
 */
export function keyOfRequest({ name }: Pick<Service, 'name'>, { method, path, isUpgrade }: Request): string {
  const kind = overridesMethod(path) ? 'override' : isUpgrade ? 'upgrade' : 'request'
  return `${withLength(name)}${kind} ${withLength(method)}${pathOf(path)}`
}

function withLength(text: string): string {
  return `${text.length}:${text}`
}
