import { identityOf, remember, rememberLatest } from '../cache/remember.ts'
import { mintChild, type SignedChain } from '../chain/extend.ts'
import type { ChainKeys } from '../chain/keys.ts'
import { admitChain, type ProvenChain, verifySignedChain } from '../chain/verify.ts'
import { judge, type Permission } from '../check/judge.ts'
import type { LineDeps } from '../check/line.ts'
import type { Config } from '../config/config.ts'
import type { Caller } from '../model/caller.ts'
import type { Chain, DelegatedChain, FirstHop } from '../model/chain.ts'
import { type Deny, isDeny } from '../model/decision.ts'
import type { Service, Target } from '../model/target.ts'
import type { CatalogService } from '../revision/catalog.ts'
import { pathOf } from '../revision/path.ts'
import type { Revision } from '../revision/revision.ts'
import { overridesMethod, type Request, targetOf } from '../revision/target.ts'
import type { Credentials } from './credentials.ts'

type MintOrder = {
  readonly chain: DelegatedChain | FirstHop
  readonly caller: Caller
  readonly callee: Service
  readonly nowMs: number
}

/** A child and while it is handed out again. */
type Minted = { readonly signed: SignedChain | Deny; readonly sinceMs: number; readonly untilMs: number }

/**
 * Room for each entry on average, bytes: what an ordinary one needs. Long paths, many groups or errors of policies take
 * the room of several.
 */
const roomBytes = { chain: 3072, child: 2048, judgement: 1024, target: 512 }
/** About what an entry weighs beside its texts. */
const fixedBytes = 400

/**
 * A child that was minted for the same parent, caller and callee serves again in the first quarter of its life: whoever
 * gets it has most of a hop's time left. A first hop begins another transaction each time.
 */
export function createMinter(
  { chain, cache }: Config,
  { keys }: Credentials,
  createId: () => string,
  random: () => number = Math.random,
): (order: MintOrder) => SignedChain | Deny {
  const limits = {
    issuer: chain.issuer,
    maxLifetimeSeconds: chain.maxLifetimeSeconds,
    ceiling: chain.ceiling,
    maxDepth: chain.maxDepth,
  }
  const mintBy = rememberLatest(({ signing }: ChainKeys) => {
    const mint = ({ chain: parent, caller, callee, nowMs }: MintOrder): Minted => {
      const ids = { jti: createId(), txn: createId() }
      const signed = mintChild(parent, caller, callee, { ...limits, key: signing }, nowMs, ids)
      const lifeMs = isDeny(signed) ? 0 : signed.expiresAt * 1000 - nowMs
      // Chains that were minted in one moment, as after a start, are not all to be minted anew in another.
      return { signed, sinceMs: nowMs, untilMs: nowMs + (lifeMs / 4) * (1 - maxJitter * random()) }
    }
    const mintOnce = remember(mint, {
      maxEntries: cache.chains,
      room: {
        maxBytes: cache.chains * roomBytes.child,
        bytesOf: (_order, { signed }) => (isDeny(signed) ? 0 : signed.token.length) + fixedBytes,
      },
      keyOf: toMintKey,
      isWorth: ({ signed }) => !isDeny(signed),
      isFresh: ({ sinceMs, untilMs }, { nowMs }) => nowMs >= sinceMs && nowMs < untilMs,
    })
    return (order: MintOrder) => (order.chain.kind === 'delegated' ? mintOnce(order) : mint(order))
  })
  return (order) => mintBy(keys())(order).signed
}

const maxJitter = 0.2

/** A chain is the same object only while its proof is remembered, a service while its revision serves. */
function toMintKey({ chain, caller, callee }: MintOrder): string {
  return `${identityOf(chain)} ${identityOf(callee)} ${toCallerKey(caller)}`
}

/**
 * A judgement is remembered as long as its revision serves: it rests on the caller, the chain, and what the request wants
 * of the service, each known by the object that stands for it. A first hop is proven, and so judged, anew. Policies see no
 * clock (revision/cedar-call.ts says what they see), so a judgement does not age.
 */
export function createJudge({ cache }: Config): LineDeps['judge'] {
  const judgeBy = rememberLatest((revision: Revision) =>
    remember(({ caller, chain, target }: Case) => judge(caller, chain, target, revision), {
      maxEntries: cache.decisions,
      room: {
        maxBytes: cache.decisions * roomBytes.judgement,
        bytesOf: (_case, judgement) => toBytes(judgement),
      },
      keyOf: ({ caller, chain, target }) =>
        `${identityOf(chain)} ${identityOf(target)} ${toCallerKey(caller)}`,
      isWorth: (judgement) => !isDeny(judgement) || judgement.code !== 'policy_unavailable',
    }),
  )
  return (caller, chain, target, revision) =>
    chain.kind === 'first-hop'
      ? judge(caller, chain, target, revision)
      : judgeBy(revision)({ caller, chain, target })
}

/** What a request wants is remembered as long as its revision serves, for it is the revision that reads a path. */
export function createTargeting({ cache }: Config): LineDeps['targetOf'] {
  const targetBy = rememberLatest((_revision: Revision) =>
    remember(({ service, request }: Wanted) => targetOf(service, request), {
      maxEntries: cache.decisions,
      room: {
        maxBytes: cache.decisions * roomBytes.target,
        bytesOf: ({ request }) => request.path.length * 3 + fixedBytes,
      },
      keyOf: toTargetKey,
      isWorth: (target) => !isDeny(target),
    }),
  )
  return (service, request, revision) => targetBy(revision)({ service, request })
}

type Wanted = { readonly service: CatalogService; readonly request: Request }

/** Everything that `targetOf` reads. A method may be any text: its length separates it from the path. */
function toTargetKey({ service, request: { method, path, isUpgrade } }: Wanted): string {
  const kind = overridesMethod(path) ? 'override' : isUpgrade ? 'upgrade' : 'request'
  return `${identityOf(service)} ${kind} ${method.length} ${method}${pathOf(path)}`
}

/** Errors are the one part that policies can make long. */
function toBytes({ results }: Permission | Deny): number {
  let bytes = fixedBytes
  for (const { errors } of results) for (const { message } of errors) bytes += message.length + fixedBytes
  return bytes + results.length * bytesOfResult
}

const bytesOfResult = 200

type Case = { readonly caller: Caller; readonly chain: Chain; readonly target: Target }

function toCallerKey({ id, isIngress }: Caller): string {
  return isIngress ? `${identityOf(id)} ingress` : `${identityOf(id)}`
}

/** Signatures are remembered as long as the keys that verified them are in force; all else is asked on every check. */
export function createChainVerifier(
  { chain, users, cache }: Config,
  { keys, revocations }: Credentials,
): LineDeps['verifyChain'] {
  const trust = {
    issuer: chain.issuer,
    userIssuers: new Map(users.map(({ issuer, name }) => [issuer, name])),
    maxDepth: chain.maxDepth,
    maxLifetimeSeconds: chain.maxLifetimeSeconds,
  }
  const allowedBy = new Map(users.map(({ issuer, groupsAllow }) => [issuer, new Set(groupsAllow)]))
  const verifySignedBy = rememberLatest(({ verifying }: ChainKeys) => {
    const trusted = { ...trust, keys: verifying }
    const verify = (text: string) => {
      const proven = verifySignedChain(text, trusted)
      return isDeny(proven) ? proven : withAllowedGroups(proven, allowedBy)
    }
    return remember(verify, {
      maxEntries: cache.chains,
      // The text, and about as much again for what it says.
      room: { maxBytes: cache.chains * roomBytes.chain, bytesOf: (text) => text.length * 2 + fixedBytes },
      // To hash a whole token costs more than all else here; two tokens of one signature are told apart by `isSame`.
      keyOf: (text) => text.slice(-keyLength),
      isSame: (one, other) => one === other,
      isWorth: (proven) => !isDeny(proven),
    })
  })
  return (text, caller, nowMs) => {
    const proven = verifySignedBy(keys())(text)
    return isDeny(proven) ? proven : admitChain(proven, caller, trust, nowMs, revocations())
  }
}

/** A chain may be older than the configuration: what was taken off `groupsAllow` since, it no longer brings. */
function withAllowedGroups(
  proven: ProvenChain,
  allowedBy: ReadonlyMap<string, ReadonlySet<string>>,
): ProvenChain {
  const { kind, digest, token } = proven
  const allowed = allowedBy.get(token.subject.issuer)
  const groups = token.subject.groups.filter((group) => allowed?.has(group) === true)
  if (groups.length === token.subject.groups.length) return proven
  return { kind, digest, token: { ...token, subject: { ...token.subject, groups } } }
}

/** The end of a token, which is its signature: no two good tokens are likely to share it. */
const keyLength = 64
