import { createGenerations, createMemory, type Memory } from '../../base/cache/memory.ts'
import type { Deny } from '../../base/model/decision.ts'
import type { Target } from '../../base/model/target.ts'
import type { Revision } from '../../policy/revision/revision.ts'
import type { SignedChain } from '../chain/extend.ts'
import type { ChainKeys } from '../chain/keys.ts'
import type { ProvenChain } from '../chain/verify.ts'
import type { TokenForm } from '../jws/compact.ts'
import type { Permission } from './judge.ts'

/** A verified token. The text distinguishes two tokens with the same signature. */
export type RememberedChain = { readonly text: string; readonly proven: ProvenChain }

/** A minted child, and until when it is reused, in milliseconds since the epoch. */
export type RememberedChild = {
  readonly signed: SignedChain
  readonly sinceMs: number
  readonly untilMs: number
}

/** All caches of the checks of one listener. They change nothing but time. All keys are from `keys.ts`. */
export type Memories = {
  /** By the end of the token's text; valid while the same keys verify. */
  readonly chains: (keys: ChainKeys) => Memory<RememberedChain>
  /** By generation of the provider's keys, and digest of the token. */
  readonly tokens: Memory<TokenForm>
  /** By parent, caller and callee; valid while the same key signs and the same revision serves. */
  readonly children: (keys: ChainKeys, revision: Revision) => Memory<RememberedChild>
  /** By service, method and path; valid while the same revision serves. */
  readonly targets: (revision: Revision) => Memory<Target>
  /** By caller, chain, service, method and path; valid while the same revision serves. */
  readonly judgements: (revision: Revision) => Memory<Permission | Deny>
}

/** The maximum number of entries, from `cache` in waywarden.yaml. */
export type MemorySizes = { readonly chains: number; readonly decisions: number }

/** Average bytes of an entry. Long paths, many groups or policy errors take the room of several entries. */
const roomBytes = { chain: 3072, token: 3072, child: 2048, judgement: 1024, target: 512 }

/** Creates empty caches. */
export function createMemories({ chains, decisions }: MemorySizes): Memories {
  const sized = <V extends object>(maxEntries: number, bytes: number) =>
    createGenerations<V>({ maxEntries, maxBytes: maxEntries * bytes })
  const proven = sized<RememberedChain>(chains, roomBytes.chain)
  const children = sized<RememberedChild>(chains, roomBytes.child)
  const targets = sized<Target>(decisions, roomBytes.target)
  const judgements = sized<Permission | Deny>(decisions, roomBytes.judgement)
  return {
    chains: ({ id }) => proven(id),
    tokens: createMemory<TokenForm>({ maxEntries: chains, maxBytes: chains * roomBytes.token }),
    children: ({ id }, { digest }) => children(`${id} ${digest}`),
    targets: ({ digest }) => targets(digest),
    judgements: ({ digest }) => judgements(digest),
  }
}
