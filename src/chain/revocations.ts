import { isJsonObject, type JsonObject, type JsonValue, parseStrictJson } from '../jws/json.ts'
import type { Caller } from '../model/caller.ts'
import type { Chain } from '../model/chain.ts'
import { type Deny, deny } from '../model/decision.ts'
import { type Invalid, invalid, isInvalid } from '../model/invalid.ts'
import { parseSpiffeId } from '../model/spiffe-id.ts'
import { actorsWith } from './actors.ts'

const kinds = ['actor', 'user', 'txn', 'jti'] as const
type Kind = (typeof kinds)[number]

/** Who is revoked: for each kind of member, what began before that many seconds since the epoch. */
export type Revocations = Readonly<Record<Kind, ReadonlyMap<string, number>>>

type Entry = { readonly kind: Kind; readonly id: string; readonly notBefore: number }

/** Nobody is revoked. */
export const noRevocations: Revocations = {
  actor: new Map(),
  user: new Map(),
  txn: new Map(),
  jti: new Map(),
}

/**
 * Parses `{"version": 1, "entries": [{"actor" | "user" | "txn" | "jti": …, "not_before"?: seconds}]}`.
 * A user is `<issuer name>/<id>`. Without `not_before` the entry holds for good.
 */
export function parseRevocations(text: string): Revocations | readonly Invalid[] {
  const file = parseStrictJson(text)
  if (isInvalid(file)) return [file]
  const entries = file.get('entries')
  if (file.get('version') !== 1 || !Array.isArray(entries) || file.size !== 2) {
    return [invalid('expected `version` 1 and an array `entries`')]
  }
  const parsed = entries.map(parseEntry)
  const problems = parsed.filter(isInvalid)
  return problems.length > 0 ? problems : toRevocations(parsed.filter((entry) => !isInvalid(entry)))
}

/** How many entries are in force. */
export function countRevocations(revocations: Revocations): number {
  return Object.values(revocations).reduce((sum, entries) => sum + entries.size, 0)
}

/**
 * Refuses a chain of which any member is revoked. A member is revoked for what began before `not_before`: a chain
 * when it was rooted, a first hop when the user's token was issued, an autonomous call now.
 */
export function checkRevoked(
  chain: Chain,
  caller: Caller,
  revocations: Revocations,
  nowMs: number,
): Deny | undefined {
  const { actor, user, txn, jti } = revocations
  if (actor.size + user.size + txn.size + jti.size === 0) return undefined
  const rootIssuedAt = rootOf(chain) ?? Math.floor(nowMs / 1000)
  for (const { kind, id } of membersOf(chain, caller)) {
    const notBefore = revocations[kind].get(id)
    if (notBefore !== undefined && rootIssuedAt < notBefore)
      return deny('chain_revoked', `${kind} \`${id}\` is revoked`)
  }
  return undefined
}

function parseEntry(entry: JsonValue, index: number): Entry | Invalid {
  const where = `entry ${index + 1}`
  if (!isJsonObject(entry)) return invalid(`${where}: expected a JSON object`)
  const [kind, ...others] = kinds.filter((name) => entry.has(name))
  const isKnown = [...entry.keys()].every((name) => name === kind || name === 'not_before')
  if (kind === undefined || others.length > 0 || !isKnown) {
    return invalid(`${where}: expected one of ${kinds.join(', ')}, and at most \`not_before\` besides`)
  }
  const id = entry.get(kind)
  if (typeof id !== 'string' || !isMember(kind, id))
    return invalid(`${where}: expected \`${kind}\` to name one`)
  const notBefore = readNotBefore(entry)
  return notBefore === undefined
    ? invalid(`${where}: expected \`not_before\` in seconds since the epoch`)
    : { kind, id, notBefore }
}

/** An entry that can never match would revoke nothing, and nobody would notice. */
function isMember(kind: Kind, id: string): boolean {
  if (kind === 'actor') return !isInvalid(parseSpiffeId(id))
  return kind === 'user' ? /^[^/]+\/./u.test(id) : id !== ''
}

function readNotBefore(entry: JsonObject): number | undefined {
  if (!entry.has('not_before')) return Number.POSITIVE_INFINITY
  const notBefore = entry.get('not_before')
  // Later than the year 5138 means that somebody wrote milliseconds.
  return typeof notBefore === 'number' && notBefore >= 0 && notBefore < 1e11 ? notBefore : undefined
}

function toRevocations(entries: readonly Entry[]): Revocations {
  const revocations = { actor: new Map(), user: new Map(), txn: new Map(), jti: new Map() } satisfies Record<
    Kind,
    Map<string, number>
  >
  for (const { kind, id, notBefore } of entries) {
    const others: ReadonlyMap<string, number> = revocations[kind]
    revocations[kind].set(id, Math.max(notBefore, others.get(id) ?? 0))
  }
  return revocations
}

function rootOf(chain: Chain): number | undefined {
  if (chain.kind === 'none') return undefined
  return chain.kind === 'delegated' ? chain.rootIssuedAt : chain.issuedAt
}

function* membersOf(chain: Chain, caller: Caller): Generator<{ readonly kind: Kind; readonly id: string }> {
  yield { kind: 'actor', id: caller.id.uri }
  for (const actor of actorsWith(chain, caller)) yield { kind: 'actor', id: actor.uri }
  if (chain.kind === 'none') return
  yield { kind: 'user', id: `${chain.subject.issuerName}/${chain.subject.id}` }
  if (chain.kind === 'first-hop') return
  yield { kind: 'txn', id: chain.txn }
  yield { kind: 'jti', id: chain.jti }
}
