import type { Caller } from '../../base/model/caller.ts'
import type { Chain, DelegatedChain, FirstHop } from '../../base/model/chain.ts'
import { type Deny, isDeny } from '../../base/model/decision.ts'
import type { Target } from '../../base/model/target.ts'
import type { CatalogService } from '../../policy/catalog/catalog.ts'
import { type Request, targetOf } from '../../policy/catalog/target.ts'
import { watchRevision } from '../../policy/revision/revision.ts'
import { mintChild, type SignedChain } from '../chain/extend.ts'
import { admitChain, type ProvenChain, verifySignedChain } from '../chain/verify.ts'
import type { CheckSettings, Facts } from './facts.ts'
import { judge, type Permission } from './judge.ts'
import { keyOfCaller, keyOfChain, keyOfFirstHop, keyOfRequest } from './keys.ts'
import type { RememberedChild } from './memories.ts'
import type { Asked } from './verdict.ts'

// The expensive steps of a check, each cached by its question. A fault is never cached.

/** The approximate bytes of an entry without its texts. */
const fixedBytes = 400
const bytesOfResult = 200

/** The end of a token is its signature, so two valid tokens hardly ever share it. Hashing a whole token is expensive. */
const tokenKeyLength = 64

/** Verifies the chain of this text for this caller now. Only the signature check is cached. */
export function verifyChain(text: string, caller: Caller, facts: Facts): DelegatedChain | Deny {
  const { settings, revocations, nowMs, stopwatch } = facts
  const stop = stopwatch?.step('verify chain')
  const proven = proveChain(text, facts)
  const chain = isDeny(proven) ? proven : admitChain(proven, caller, settings.trust, nowMs, revocations)
  stop?.()
  return chain
}

function proveChain(text: string, { settings, keys, memories }: Facts): ProvenChain | Deny {
  const memory = memories.chains(keys)
  const key = text.slice(-tokenKeyLength)
  const known = memory.get(key)
  if (known?.text === text) return known.proven
  const signed = verifySignedChain(text, { ...settings.trust, keys: keys.verifying })
  if (isDeny(signed)) return signed
  const proven = withAllowedGroups(signed, settings)
  // The text, and about the same again for the parsed token.
  memory.set(key, { text, proven }, text.length * 2 + fixedBytes)
  return proven
}

/** A chain may be older than the configuration, so groups that `groupsAllow` no longer contains are removed. */
function withAllowedGroups(proven: ProvenChain, { groupsAllowed }: CheckSettings): ProvenChain {
  const { token } = proven
  const allowed = groupsAllowed.get(token.subject.issuer)
  const groups = token.subject.groups.filter((group) => allowed?.has(group) === true)
  if (groups.length === token.subject.groups.length) return proven
  return { ...proven, token: { ...token, subject: { ...token.subject, groups } } }
}

/** Returns the target, and the keys of the judgement and of the whole question. */
export function findTarget(
  service: CatalogService,
  caller: Caller,
  chain: Chain,
  request: Request,
  { memories, revision }: Facts,
): { readonly target: Target | Deny } & Pick<Asked, 'judgementKey' | 'questionKey'> {
  const memory = memories.targets(revision)
  const requestKey = keyOfRequest(service, request)
  const known = memory.get(requestKey)
  const target = known ?? targetOf(service, request)
  if (known === undefined && !isDeny(target))
    memory.set(requestKey, target, request.path.length * 3 + fixedBytes)
  const asked = `${keyOfCaller(caller)} ${requestKey}`
  if (chain.kind === 'first-hop')
    return { target, judgementKey: `${keyOfFirstHop(chain)} ${asked}`, questionKey: undefined }
  const questionKey = `${keyOfChain(chain)} ${asked}`
  return { target, judgementKey: questionKey, questionKey }
}

/** Policies cannot read a clock (see policy/cedar/cedar-call.ts), so a judgement is valid as long as its revision. */
export function judgeRemembered(asked: Asked, facts: Facts): Permission | Deny {
  const stop = facts.stopwatch?.step('judge')
  const memory = facts.memories.judgements(facts.revision)
  const known = memory.get(asked.judgementKey)
  const judgement = known ?? judgeAnew(asked, facts)
  const isFault = isDeny(judgement) && judgement.code === 'policy_unavailable'
  if (known === undefined && !isFault) memory.set(asked.judgementKey, judgement, bytesOf(judgement))
  stop?.()
  return judgement
}

function judgeAnew({ caller, chain, target }: Asked, { revision, stopwatch }: Facts): Permission | Deny {
  const watched =
    stopwatch === undefined ? revision : watchRevision(revision, ({ role }) => stopwatch.evaluation(role))
  return judge(caller, chain, target, watched)
}

/** Policy errors are the only part that policies can make long. */
function bytesOf({ results }: Permission | Deny): number {
  let bytes = fixedBytes
  for (const { errors } of results) for (const { message } of errors) bytes += message.length + fixedBytes
  return bytes + results.length * bytesOfResult
}

const maxJitter = 0.2

/**
 * Mints the chain that the callee may present. A child of the same parent, caller and callee is reused for the first
 * quarter of its life, so that most of the hop's lifetime remains. A first hop always begins a new transaction.
 */
export function extendChain(
  chain: DelegatedChain | FirstHop,
  caller: Caller,
  callee: CatalogService,
  facts: Facts,
): SignedChain | Deny {
  const stop = facts.stopwatch?.step('extend')
  const signed =
    chain.kind === 'first-hop'
      ? mint(chain, caller, callee, facts)
      : extendRemembered(chain, caller, callee, facts)
  stop?.()
  return signed
}

function extendRemembered(
  chain: DelegatedChain,
  caller: Caller,
  callee: CatalogService,
  facts: Facts,
): SignedChain | Deny {
  const { memories, keys, revision, nowMs, random } = facts
  const memory = memories.children(keys, revision)
  const key = `${keyOfChain(chain)} ${keyOfCaller(caller)} ${callee.name}`
  const known = memory.get(key)
  if (known !== undefined && isFresh(known, nowMs)) return known.signed
  const signed = mint(chain, caller, callee, facts)
  if (isDeny(signed)) return signed
  const lifeMs = signed.expiresAt * 1000 - nowMs
  // Spreads the renewal of chains that were minted at the same time, such as after a start.
  const untilMs = nowMs + (lifeMs / 4) * (1 - maxJitter * random())
  memory.set(key, { signed, sinceMs: nowMs, untilMs }, signed.token.length + fixedBytes)
  return signed
}

function isFresh({ sinceMs, untilMs }: RememberedChild, nowMs: number): boolean {
  return nowMs >= sinceMs && nowMs < untilMs
}

function mint(
  chain: DelegatedChain | FirstHop,
  caller: Caller,
  callee: CatalogService,
  { settings, keys, nowMs, createId }: Facts,
): SignedChain | Deny {
  const ids = { jti: createId(), txn: createId() }
  return mintChild(chain, caller, callee, { ...settings.minting, key: keys.signing }, nowMs, ids)
}
