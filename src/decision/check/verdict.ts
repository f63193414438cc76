import type { Caller } from '../../base/model/caller.ts'
import type { Chain } from '../../base/model/chain.ts'
import type { Deny } from '../../base/model/decision.ts'
import type { Service, Target } from '../../base/model/target.ts'
import type { CatalogService } from '../../policy/catalog/catalog.ts'
import type { SignedChain } from '../chain/extend.ts'
import type { Permission } from './judge.ts'

/** Where a request goes and who calls. */
export type Call = { readonly kind: 'call'; readonly service: CatalogService; readonly caller: Caller }

/** All that is asked: may everyone in this chain do this? */
export type Asked = Omit<Call, 'kind'> & {
  readonly kind: 'asked'
  readonly chain: Chain
  readonly target: Target
  /** Says all of the question, for what is remembered of it; `undefined` for a chain that begins here. */
  readonly questionKey: string | undefined
}

/** What a check has decided, and what it had found out by then. `onward` is the chain that the callee may present in its turn. */
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

/** A verdict before policies were asked. */
export function refusal(decision: Deny, found: Omit<Verdict, 'kind' | 'decision'> = {}): Verdict {
  return { ...found, kind: 'verdict', decision }
}
