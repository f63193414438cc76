import { toRecord } from '../audit/format/to-record.ts'
import { createPolicyNeeds } from '../authoring/draft-policy.ts'
import type { Matter } from '../authoring/situation.ts'
import type { Chain } from '../base/model/chain.ts'
import { isConnection } from '../base/model/check-input.ts'
import { type Deny, deniedBy, deny, isDeny } from '../base/model/decision.ts'
import { entityUidsIn } from '../base/model/entity-uid.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { parseSpiffeId, type SpiffeId } from '../base/model/spiffe-id.ts'
import { judge, type Permission } from '../decision/check/judge.ts'
import type { Policy } from '../policy/cedar/policies.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { type DecideBy, parseProposal } from '../policy/rules/other-policies.ts'

/** A smallest change that reverses the decision; each one has been judged. */
export type Counterfactual = {
  /** The kind of change: another chain, other policies, or another catalog. */
  readonly of: 'chain' | 'policy' | 'catalog'
  readonly steps: readonly string[]
  /** Permits that the change adds. */
  readonly cedar: readonly string[]
}

type Step = { readonly text: string; readonly matter: Matter }
/** The groups and agents that policies and catalog name. */
type Names = { readonly groups: readonly string[]; readonly agents: readonly SpiffeId[] }

const maxSteps = 8
const maxNames = 200

/** Finds changes that turn an allow into a deny, or a deny into an allow. */
export function findCounterfactuals(
  matter: Matter,
  revision: Revision,
  decideBy: DecideBy,
): readonly Counterfactual[] {
  const decision = judgeMatter(matter, revision)
  const flips = isDeny(decision)
    ? [byChain(matter, revision), byCatalog(matter, decision), byPolicy(matter, decision, revision, decideBy)]
    : [losingGroup(matter, revision), losingPolicy(matter, decision, revision, decideBy)]
  return flips.filter((flip) => flip !== undefined)
}

function judgeMatter({ caller, chain, target }: Matter, revision: Revision): Permission | Deny {
  return judge(caller, chain, target, revision)
}

/** Changes the chain step by step; each step leaves fewer refusals. */
function byChain(matter: Matter, revision: Revision): Counterfactual | undefined {
  const names = readNames(revision)
  const steps: string[] = []
  let now = matter
  while (steps.length < maxSteps) {
    const decision = judgeMatter(now, revision)
    if (!isDeny(decision)) return { of: 'chain', steps, cedar: [] }
    const refusals = countRefusals(decision)
    const better = candidates(now, decision, names).find(
      (step) => countRefusals(judgeMatter(step.matter, revision)) < refusals,
    )
    if (better === undefined) return undefined
    steps.push(better.text)
    now = better.matter
  }
  return undefined
}

/** A refusal before the policies were asked counts more than any number of refused principals. */
function countRefusals(decision: Permission | Deny): number {
  if (!isDeny(decision)) return 0
  return decision.results.length === 0 ? Number.POSITIVE_INFINITY : deniedBy(decision.results).length
}

function candidates(matter: Matter, decision: Deny, names: Names): readonly Step[] {
  const { chain, target } = matter
  if (chain.kind === 'none') return []
  const { requiredScope } = target
  if (decision.code === 'scope_missing' && requiredScope !== undefined) {
    const scopes = [...chain.scopes, requiredScope]
    return [
      {
        text: `a chain with the scope \`${requiredScope}\``,
        matter: { ...matter, chain: { ...chain, scopes } },
      },
    ]
  }
  const roles = new Set(deniedBy(decision.results).map(({ role }) => role))
  return [
    ...(roles.has('subject') ? otherGroups(matter, chain, names) : []),
    ...(roles.has('delegator') ? fewerActors(matter, chain) : []),
    ...(roles.has('caller') ? otherCallers(matter, names) : []),
  ]
}

function otherGroups(
  matter: Matter,
  chain: Exclude<Chain, { readonly kind: 'none' }>,
  { groups }: Names,
): readonly Step[] {
  const { subject } = chain
  const prefix = `${subject.issuerName}/`
  return groups.flatMap((group) => {
    const name = group.slice(prefix.length)
    if (!group.startsWith(prefix) || subject.groups.includes(name)) return []
    const joined = { ...subject, groups: [...subject.groups, name] }
    const text = `\`${prefix}${subject.id}\` in the group \`${group}\``
    return [{ text, matter: { ...matter, chain: { ...chain, subject: joined } } }]
  })
}

function fewerActors(matter: Matter, chain: Chain): readonly Step[] {
  if (chain.kind !== 'delegated') return []
  return chain.actors.map((actor) => ({
    text: `a chain without \`${actor.uri}\``,
    matter: { ...matter, chain: { ...chain, actors: chain.actors.filter((other) => other !== actor) } },
  }))
}

function otherCallers(matter: Matter, { agents }: Names): readonly Step[] {
  return agents
    .filter(({ uri }) => uri !== matter.caller.id.uri)
    .map((id) => ({
      text: `\`${id.uri}\` as the caller`,
      matter: { ...matter, caller: { ...matter.caller, id } },
    }))
}

function readNames({ policies, catalog }: Revision): Names {
  const groups = new Set<string>()
  const agents = new Map<string, SpiffeId>()
  for (const { json } of policies) {
    for (const { type, id } of entityUidsIn([json.principal, json.resource, json.conditions])) {
      if (type === 'Group') groups.add(id)
      const agent = type === 'Agent' ? parseSpiffeId(id) : undefined
      if (agent !== undefined && !isInvalid(agent)) agents.set(agent.uri, agent)
    }
  }
  for (const { spiffeId, forwards } of catalog.services) if (forwards) agents.set(spiffeId.uri, spiffeId)
  return { groups: [...groups].slice(0, maxNames), agents: [...agents.values()].slice(0, maxNames) }
}

/** Finds catalog changes for refusals that no policy can change. */
function byCatalog({ chain, caller, target }: Matter, { code }: Deny): Counterfactual | undefined {
  if (code !== 'chain_missing') return undefined
  const name = `\`${target.service.name}\``
  const step =
    chain.kind === 'none'
      ? `${name} with \`chainless: [${caller.id.uri}]\`, and a permit for that \`Autonomous\`${isConnection(target) ? '' : '; better: a chain'}`
      : `${name} with \`entry: true\``
  return { of: 'catalog', steps: [step], cedar: [] }
}

/** Drafts permits for all who lack one, without the forbids that refuse. */
function byPolicy(
  matter: Matter,
  decision: Deny,
  revision: Revision,
  decideBy: DecideBy,
): Counterfactual | undefined {
  if (decision.code !== 'policy_denied') return undefined
  const forbids = decision.results.filter(({ outcome }) => outcome === 'forbid')
  const standing = new Set(forbids.flatMap((result) => result.determiningPolicies.map(({ id }) => id)))
  const without = revision.policies.filter(({ id }) => !standing.has(id))
  const left = standing.size === 0 ? decision : judgeMatter(matter, decideBy(without))
  const drafted = isDeny(left) ? draftPermits(matter, left, revision) : []
  if (isDeny(judgeMatter(matter, decideBy([...without, ...drafted])))) return undefined
  const steps = [
    ...revision.policies
      .filter(({ id }) => standing.has(id))
      .map(({ id, file, line }) => `\`${id}\` (${file}:${line}) exempting this`),
    ...drafted.map(({ file, annotations }) => `a permit \`${annotations['id'] ?? ''}\` in ${file}`),
  ]
  return { of: 'policy', steps, cedar: drafted.map(({ text }) => text) }
}

function draftPermits(matter: Matter, { results }: Deny, revision: Revision): readonly Policy[] {
  const needs = createPolicyNeeds()
  const decision = deny('policy_denied', '', results)
  needs.add(toRecord({ ...matter, decisionId: '', timeMs: 0, durationMicros: 0, decision }))
  const { name } = matter.target.service
  const owner = revision.catalog.byName.get(name)?.owner
  return needs
    .drafts(new Map([[name, owner]]))
    .flatMap(({ policies }) => policies)
    .flatMap(({ cedar }) => parseProposal(`${owner ?? name}/${name}.cedar`, cedar))
}

function losingGroup(matter: Matter, revision: Revision): Counterfactual | undefined {
  const { chain } = matter
  if (chain.kind === 'none') return undefined
  const { subject } = chain
  const lost = subject.groups.find((group) => {
    const groups = subject.groups.filter((other) => other !== group)
    return isDeny(judgeMatter({ ...matter, chain: { ...chain, subject: { ...subject, groups } } }, revision))
  })
  if (lost === undefined) return undefined
  const { issuerName, id } = subject
  return {
    of: 'chain',
    steps: [`\`${issuerName}/${id}\` without the group \`${issuerName}/${lost}\``],
    cedar: [],
  }
}

function losingPolicy(
  matter: Matter,
  { results }: Permission,
  { policies }: Revision,
  decideBy: DecideBy,
): Counterfactual | undefined {
  const [only] = results.flatMap(({ determiningPolicies }) =>
    determiningPolicies.length === 1 ? determiningPolicies : [],
  )
  if (only === undefined) return undefined
  const without = policies.filter(({ id }) => id !== only.id)
  return isDeny(judgeMatter(matter, decideBy(without)))
    ? { of: 'policy', steps: [`without \`${only.id}\` (${only.file}:${only.line})`], cedar: [] }
    : undefined
}
