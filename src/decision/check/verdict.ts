import type { Caller } from '../../base/model/caller.ts'
import type { Chain } from '../../base/model/chain.ts'
import type { Deny } from '../../base/model/decision.ts'
import type { Service, Target } from '../../base/model/target.ts'
import type { CatalogService } from '../../policy/catalog/catalog.ts'
import type { SignedChain } from '../chain/extend.ts'
import type { Permission } from './judge.ts'

/** The called service and the caller. */
export type Call = { readonly kind: 'call'; readonly service: CatalogService; readonly caller: Caller }

/** The whole question: may every principal of this chain do this? */
export type Asked = Omit<Call, 'kind'> & {
  readonly kind: 'asked'
  readonly chain: Chain
  readonly target: Target
  /** The cache key of the judgement: everything that is judged. */
  readonly judgementKey: string
  /** The key of the whole question, by which records repeat; `undefined` for a chain that begins here. */
  readonly questionKey: string | undefined
}

/** The decision of a check, and everything found before it. `onward` is the chain that the callee may present next. */
export type Verdict = {
  readonly kind: 'verdict'
  readonly decision: Permission | Deny
  readonly caller?: Caller | undefined
  readonly chain?: Chain | undefined
  readonly service?: Service | undefined
  readonly target?: Target | undefined
  readonly onward?: SignedChain | undefined
  readonly questionKey?: string | undefined
}

/** Builds a verdict from before the policies were asked. */
export function refusal(decision: Deny, found: Omit<Verdict, 'kind' | 'decision'> = {}): Verdict {
  return { ...found, kind: 'verdict', decision }
}
