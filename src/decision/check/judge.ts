import type { Caller } from '../../base/model/caller.ts'
import type { Chain } from '../../base/model/chain.ts'
import { type Deny, deniedBy, deny, type PrincipalResult } from '../../base/model/decision.ts'
import type { Query } from '../../base/model/query.ts'
import type { Target } from '../../base/model/target.ts'
import { excerpt } from '../../base/text/quote.ts'
import { actorsWith } from '../chain/actors.ts'

/** All principals of the chain may do what the target names. */
export type Permission = { readonly kind: 'permission'; readonly results: readonly PrincipalResult[] }

/** The part of a revision that `judge` needs: an answer for one principal. */
export type Judge = { readonly evaluate: (query: Query) => PrincipalResult }

/**
 * The only way to a decision: may every principal of this chain do this? Live checks, policy tests and `why` all call it.
 * Each actor adds one question, so an added actor can only subtract rights. RFC 8693 §4.1 requires this of prior actors.
 */
export function judge(caller: Caller, chain: Chain, target: Target, revision: Judge): Permission | Deny {
  const refusal = admit(caller, chain, target)
  if (refusal !== undefined) return refusal
  const results = toQueries(caller, chain, target).map(revision.evaluate)
  const refusing = deniedBy(results)
  if (refusing.length === 0) return { kind: 'permission', results }
  const has = (outcome: PrincipalResult['outcome']) => refusing.some((result) => result.outcome === outcome)
  if (has('unavailable')) return deny('policy_unavailable', 'the policy engine failed', results)
  if (has('error')) return deny('policy_error', 'a forbid could not be evaluated', results)
  const roles = refusing.map(({ role }) => role)
  const had = roles.includes('subject') ? ` (${describeGroups(chain)})` : ''
  return deny('policy_denied', `${roles.join(', ')} not permitted${had}`, results)
}

/** Names the groups that the policies were asked about, or the token's groups that `groupsAllow` does not name. */
function describeGroups(chain: Chain): string {
  if (chain.kind === 'none') return 'no chain'
  const unlisted = chain.kind === 'first-hop' ? chain.unlistedGroups : undefined
  if (unlisted !== undefined) return `groups: ${enumerate(unlisted)}; none is in groupsAllow`
  const { groups } = chain.subject
  return `groups: ${groups.length === 0 ? 'none' : enumerate(groups)}`
}

function enumerate(groups: readonly string[]): string {
  const shown = groups.slice(0, maxGroups).map(excerpt).join(', ')
  return groups.length > maxGroups ? `${shown} and ${groups.length - maxGroups} more` : shown
}

/** A reason is one line of text; a token may have hundreds of groups. */
const maxGroups = 5

/** Refuses requests that no policy can permit. */
function admit(caller: Caller, chain: Chain, { service, requiredScope }: Target): Deny | undefined {
  if (chain.kind === 'first-hop' && !service.isEntry) {
    return deny(
      'chain_missing',
      `no chain may begin at \`${service.name}\`: it is not an \`entry\` of the catalog`,
    )
  }
  if (chain.kind === 'none' && !service.chainless.some((id) => id.uri === caller.id.uri)) {
    return deny('chain_missing', `\`${service.name}\` does not name \`${caller.id.uri}\` as \`chainless\``)
  }
  const scopes = chain.kind === 'none' ? [] : chain.scopes
  if (requiredScope !== undefined && !scopes.includes(requiredScope)) {
    return deny(
      'scope_missing',
      `the route requires the scope \`${requiredScope}\`, the chain has \`${scopes.join(' ')}\``,
    )
  }
  return undefined
}

/** Returns one question for each principal, in the order caller, delegators, subject. */
function toQueries(caller: Caller, chain: Chain, target: Target): readonly Query[] {
  if (chain.kind === 'none') {
    const principal = { kind: 'autonomous', id: caller.id } as const
    return [
      {
        principal,
        role: 'autonomous',
        delegatee: undefined,
        chain: { actors: [], subject: undefined, scopes: [], isRecovered: false },
        target,
      },
    ]
  }
  const actors = actorsWith(chain, caller)
  const isRecovered = chain.kind === 'delegated' && chain.isRecovered
  const context = { actors, subject: chain.subject, scopes: chain.scopes, isRecovered }
  const acting = actors.map((id, index): Query => {
    const role = index === 0 ? 'caller' : 'delegator'
    return { principal: { kind: 'agent', id }, role, delegatee: actors[index - 1], chain: context, target }
  })
  const subject = { kind: 'user', subject: chain.subject } as const
  return [
    ...acting,
    { principal: subject, role: 'subject', delegatee: actors.at(-1), chain: context, target },
  ]
}
