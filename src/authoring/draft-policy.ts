import type { DecisionRecord } from '../audit/format/record.ts'
import type { Role } from '../base/model/decision.ts'
import { type EntityUid, entityKey, isSameEntity } from '../base/model/entity-uid.ts'
import { createTally, type Sightings, sighted, type Tally, together } from './tally.ts'

/** Permits that recorded calls would need, for one service. */
export type PolicyDrafts = {
  readonly service: string
  /** The owner of their folder; `undefined` if the catalog names none or is not available. */
  readonly owner: string | undefined
  readonly policies: readonly PolicyDraft[]
}

/** One permit. */
export type PolicyDraft = { readonly id: string; readonly calls: Sightings; readonly cedar: string }

/** Intended denials: a forbid refused, so no permit helps. */
export type ForbiddenCalls = { readonly policies: readonly string[]; readonly calls: Sightings }

/** Collects requests that the policies refused. */
export type PolicyNeeds = {
  readonly add: (record: DecisionRecord) => void
  readonly drafts: (ownerOf: ReadonlyMap<string, string | undefined>) => readonly PolicyDrafts[]
  readonly forbidden: () => readonly ForbiddenCalls[]
  readonly cut: () => number
}

/** A missing permit. Users are distinguished only by their groups, because policies should name groups. */
type Need = {
  readonly service: string
  readonly action: EntityUid
  readonly resourceType: string
  readonly role: Role
  /** The principal itself; for a subject with groups, any one of these. */
  readonly principal: EntityUid
  readonly groups: readonly string[]
  readonly calls: Sightings
}
/** A permit, after a subject's groups were reduced to one. */
type Permit = Omit<Need, 'groups' | 'principal'> & { readonly scope: string; readonly name: string }

const maxNeeds = 2000

/** Starts empty. */
export function createPolicyNeeds(): PolicyNeeds {
  const needs = createTally<Need>(maxNeeds)
  const forbidden = createTally<ForbiddenCalls>(maxNeeds)
  return {
    add(record) {
      if (record.code !== 'policy_denied') return
      const forbids = record.results.filter(({ outcome }) => outcome === 'forbid')
      if (forbids.length === 0) addNeeds(record, needs)
      else {
        const policies = [...new Set(forbids.flatMap((result) => result.policies.map(({ id }) => id)))].sort()
        forbidden.update(policies, (now) => ({ policies, calls: sighted(now?.calls, record) }))
      }
    },
    drafts(ownerOf) {
      const names = [...new Set(needs.values().map(({ service }) => service))].sort()
      return names.map((service) => ({
        service,
        owner: ownerOf.get(service),
        policies: toPolicies(needs.values().filter((need) => need.service === service)),
      }))
    },
    forbidden: () => forbidden.values().toSorted((a, b) => b.calls.count - a.calls.count),
    cut: () => needs.cut() + forbidden.cut(),
  }
}

function addNeeds(record: DecisionRecord, needs: Tally<Need>): void {
  const { service, target, results } = record
  if (service === undefined || target === undefined) return
  for (const { principal, role } of results.filter(({ outcome }) => outcome === 'no-permit')) {
    const groups = role === 'subject' ? groupsOf(record) : []
    const who = groups.length > 0 ? groups : [principal.type, principal.id]
    const key = [service.name, entityKey(target.action), target.resource.type, role, ...who]
    needs.update(key, (now) => ({
      service: service.name,
      action: target.action,
      resourceType: target.resource.type,
      role,
      principal,
      groups,
      calls: sighted(now?.calls, record),
    }))
  }
}

function groupsOf({ chain }: DecisionRecord): readonly string[] {
  if (chain === undefined || chain.kind === 'none') return []
  return chain.subject.groups.map((group) => `${chain.subject.issuerName}/${group}`).sort()
}

function toPolicies(needs: readonly Need[]): readonly PolicyDraft[] {
  const permits = [
    ...needs.filter(({ groups }) => groups.length === 0).map(toPermit),
    ...toGroupPermits(needs.filter(({ groups }) => groups.length > 0)),
  ]
  const ids = new Set<string>()
  return permits.map((permit) => {
    const id = toId(permit, ids)
    ids.add(id)
    return { id, calls: permit.calls, cedar: formatPermit(permit, id) }
  })
}

function toPermit({ principal, groups: _none, ...need }: Need): Permit {
  const name = principal.id.slice(principal.id.lastIndexOf('/') + 1)
  return { ...need, name, scope: `principal == ${toCedar(principal)}` }
}

/** Chooses few groups that cover all refused users: each time the group with the most remaining calls. */
function toGroupPermits(needs: readonly Need[]): readonly Permit[] {
  const permits: Permit[] = []
  let left = needs
  while (left[0] !== undefined) {
    const [first] = left
    const isSameCall = (need: Need) =>
      isSameEntity(need.action, first.action) && need.resourceType === first.resourceType
    const group = mostCalled(left.filter(isSameCall))
    const covered = left.filter((need) => isSameCall(need) && need.groups.includes(group))
    const { principal: _principal, groups: _groups, ...need } = first
    const scope = `principal in ${toCedar({ type: 'Group', id: group })}`
    const name = group.slice(group.lastIndexOf('/') + 1)
    permits.push({ ...need, name, scope, calls: together(covered.map(({ calls }) => calls)) })
    left = left.filter((other) => !covered.includes(other))
  }
  return permits
}

function mostCalled(needs: readonly Need[]): string {
  const counts = new Map<string, number>()
  for (const { groups, calls } of needs) {
    for (const group of groups) counts.set(group, (counts.get(group) ?? 0) + calls.count)
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best), ['', 0] as const)[0]
}

function toId({ role, name, action }: Permit, taken: ReadonlySet<string>): string {
  const plain = `draft-${role}-${name}-${action.id}`.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  for (let number = 1; ; number++) {
    const id = number === 1 ? plain : `${plain}-${number}`
    if (!taken.has(id)) return id
  }
}

function formatPermit({ scope, role, action, resourceType, service, calls }: Permit, id: string): string {
  const place = toCedar({ type: 'Service', id: service })
  return [
    `// DRAFT from ${calls.count} ${calls.count === 1 ? 'call' : 'calls'}. Review that the least privilege is meant.`,
    `@id(${toCedarText(id)})`,
    'permit (',
    `  ${scope},`,
    `  action == ${toCedar(action)},`,
    `  resource ${resourceType === 'Service' ? '==' : 'in'} ${place}`,
    ')',
    `when { context.role == ${toCedarText(role)} };`,
  ].join('\n')
}

function toCedar({ type, id }: EntityUid): string {
  // A record may have been edited, and text that is no type name must not become Cedar.
  return /^[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*$/.test(type) ? `${type}::${toCedarText(id)}` : 'Unreadable::""'
}

/** Formats a Cedar string, whose escapes differ from JSON's. */
function toCedarText(text: string): string {
  const escaped = text.toWellFormed().replace(/["\\]|[^\x20-\x7e]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`
  })
  return `"${escaped}"`
}
