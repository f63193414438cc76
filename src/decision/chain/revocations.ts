import { LargeMap } from '../../base/collections/large-map.ts'
import type { Caller } from '../../base/model/caller.ts'
import type { Chain } from '../../base/model/chain.ts'
import { type Deny, deny } from '../../base/model/decision.ts'
import { type Invalid, invalid, isInvalid } from '../../base/model/invalid.ts'
import type { Problems } from '../../base/model/problems.ts'
import { parseSpiffeId } from '../../base/model/spiffe-id.ts'
import { isJsonObject, type JsonObject, type JsonValue, parseStrictJson } from '../jws/json.ts'
import { actorsWith } from './actors.ts'
import { cutRevocations } from './revocations-cut.ts'

const kinds = ['actor', 'user', 'txn', 'jti'] as const
type Kind = (typeof kinds)[number]

/** The revoked members. Each value is a time in seconds since the epoch; everything that began before it is revoked. */
export type Revocations = Readonly<Record<Kind, ReadonlyMap<string, number>>>

/** Parses a file in steps of a few milliseconds. The last step returns the result. */
export type RevocationSteps = Generator<undefined, Revocations | Problems<Invalid>, undefined>

const maxProblems = 50

type Entry = { readonly kind: Kind; readonly id: string; readonly notBefore: number }

/** No revocations. */
export const noRevocations: Revocations = {
  actor: new Map(),
  user: new Map(),
  txn: new Map(),
  jti: new Map(),
}

/**
 * Parses `{"version": 1, "entries": [{"actor" | "user" | "txn" | "jti": …, "not_before"?: seconds}]}`. A user is `<issuer
 * name>/<id>`. An entry without `not_before` never ends.
 */
export function parseRevocations(text: string): Revocations | Problems<Invalid> {
  const steps = parseRevocationsInSteps(Buffer.from(text))
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** Parses a file that may have a million entries, and yields between steps. */
export function* parseRevocationsInSteps(file: Buffer, pieceBytes?: number): RevocationSteps {
  const found = {
    actor: new LargeMap<number>(),
    user: new LargeMap<number>(),
    txn: new LargeMap<number>(),
    jti: new LargeMap<number>(),
  }
  const problems: Invalid[] = []
  let count = 0
  const pieces = cutRevocations(file, pieceBytes)
  for (let piece = pieces.next(); ; piece = pieces.next()) {
    if (piece.done === true) {
      const fault = isInvalid(piece.value) ? piece.value : findFault(piece.value)
      if (fault !== undefined) return refuse([fault])
      return problems.length > 0 ? refuse(problems) : found
    }
    const entries = parseEntries(piece.value)
    if (isInvalid(entries)) return refuse([entries])
    for (const item of entries) {
      const entry = parseEntry(item, count++)
      if (isInvalid(entry)) problems.push(entry)
      else add(found[entry.kind], entry)
    }
    yield
  }
}

/** Counts the entries in force. */
export function countRevocations(revocations: Revocations): number {
  return Object.values(revocations).reduce((sum, entries) => sum + entries.size, 0)
}

/**
 * Refuses a chain if any member is revoked. Each member has a start that is compared with `not_before`: when the chain
 * was rooted, when the user's token was issued (first hop), or now (autonomous call).
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

/** Finds faults of the file outside of its entries. */
function findFault(outline: string): Invalid | undefined {
  const file = parseStrictJson(outline)
  if (isInvalid(file)) return file
  const isRight = file.get('version') === 1 && Array.isArray(file.get('entries')) && file.size === 2
  return isRight ? undefined : invalid('expected `version` 1 and an array `entries`')
}

/** Wraps the piece in an array in an object, so that entries have the same nesting depth as in their file. */
function parseEntries(piece: string): readonly JsonValue[] | Invalid {
  const parsed = parseStrictJson(`{"entries":[${piece}]}`)
  if (isInvalid(parsed)) return parsed
  const entries = parsed.get('entries')
  return Array.isArray(entries) ? entries : invalid('expected JSON')
}

/** If two entries name one member, the stricter one wins. */
function add(members: LargeMap<number>, { id, notBefore }: Entry): void {
  members.set(id, Math.max(notBefore, members.get(id) ?? 0))
}

/** As many problems as a person reads; the last says how many more there are. */
function refuse(problems: readonly Invalid[]): Problems<Invalid> {
  if (problems.length <= maxProblems) return { kind: 'problems', problems }
  const shown = problems.slice(0, maxProblems - 1)
  return { kind: 'problems', problems: [...shown, invalid(`and ${problems.length - shown.length} more`)] }
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

/** Refuses an entry that can never match: it would revoke nothing, and no operator would notice. */
function isMember(kind: Kind, id: string): boolean {
  if (kind === 'actor') return !isInvalid(parseSpiffeId(id))
  return kind === 'user' ? /^[^/]+\/./u.test(id) : id !== ''
}

function readNotBefore(entry: JsonObject): number | undefined {
  if (!entry.has('not_before')) return Number.POSITIVE_INFINITY
  const notBefore = entry.get('not_before')
  // A time after the year 5138 is almost certainly written in milliseconds.
  return typeof notBefore === 'number' && notBefore >= 0 && notBefore < 1e11 ? notBefore : undefined
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
