import type { EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import type { EntityUid } from '../../src/base/model/entity-uid.ts'
import type { SpiffeId } from '../../src/base/model/spiffe-id.ts'
import { productSchema } from '../../src/policy/cedar/product-schema.ts'
import { spiffeId } from './forge.ts'
import { hospital } from './identities.ts'

/** Entities of one type, and what they can lie in, as Cedar spells their names. */
export type Kind = {
  readonly type: string
  readonly ids: readonly string[]
  readonly above: readonly string[]
}

/** The kinds of entities that policies may name, by the variable for which they can stand. */
export type Names = {
  readonly principals: readonly Kind[]
  readonly actions: readonly Kind[]
  readonly resources: readonly Kind[]
}

/** The generated parts of entities.json besides parents. */
type Description = { readonly doctor: { readonly uri: string }; readonly container: string }

const asked =
  'appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Room, Service, Lab::Sample, Lab::Deep::Vial, Site::Sample], context: RequestContext}'

/**
 * The same short names and ids stand in several namespaces, and groups of actions and containers are several levels deep.
 * A reader that drops a namespace, a level or a parent takes one entity for another.
 */
export const ownSchema: string = `
namespace Lab {
  entity Team in [Team] {lead?: Agent};
  entity Rack in [Rack];
  entity Sample in [Rack, Lab::Deep::Rack, Service] {vip?: Bool, floor?: Long, doctor?: Agent, team?: Team, rack?: Lab::Deep::Rack};
  action "sensitive";
  action "export" in ["sensitive"];
  action "change-it" in [Action::"write"];
}
namespace Lab::Deep {
  entity Rack in [Rack, Lab::Rack];
  entity Vial in [Rack, Service];
  action "sensitive" in [Lab::Action::"export"];
}
namespace Site {
  entity Rack in [Rack];
  entity Sample in [Rack, Service];
  action "sensitive";
  action "export" in [Lab::Deep::Action::"sensitive"];
}
entity Ward in [Ward, Site::Rack];
entity Patient in [Ward, Service] {vip?: Bool, floor?: Long, doctor?: Agent, team?: Lab::Team, rack?: Site::Rack} tags Lab::Rack;
entity Room in [Service];
action "admin" in [Action::"write"];
action "look" in [Action::"read", Site::Action::"sensitive"] ${asked};
action "change" in [Action::"admin", Lab::Action::"export"] ${asked};
action "freeze" in [Lab::Deep::Action::"sensitive"] ${asked};
action "ship" in ["look", Site::Action::"export"] ${asked};
`

/** The schema, whole. */
export const worldSchema: string = `${ownSchema}\n${productSchema(['id'])}`

/** The agents of these worlds. The last two have neither the namespace nor the trust domain of the others. */
export const worldAgents: readonly SpiffeId[] = [
  hospital.agentA,
  hospital.agentD,
  hospital.agentR,
  spiffeId('spiffe://lab.example/ns/billing/sa/agent-a'),
  spiffeId('spiffe://lab.example/robot'),
]

/** The facts that a name proves about an agent, written out: the oracle must not derive it as the product does. */
export const homes: ReadonlyMap<string, readonly EntityUid[]> = new Map([
  [
    'spiffe://hospital.example/ns/billing/sa/agent-a',
    [uid('Namespace', 'hospital.example/billing'), uid('TrustDomain', 'hospital.example')],
  ],
  [
    'spiffe://hospital.example/ns/billing/sa/agent-d',
    [uid('Namespace', 'hospital.example/billing'), uid('TrustDomain', 'hospital.example')],
  ],
  [
    'spiffe://hospital.example/ns/clinic/sa/agent-r',
    [uid('Namespace', 'hospital.example/clinic'), uid('TrustDomain', 'hospital.example')],
  ],
  [
    'spiffe://lab.example/ns/billing/sa/agent-a',
    [uid('Namespace', 'lab.example/billing'), uid('TrustDomain', 'lab.example')],
  ],
  ['spiffe://lab.example/robot', [uid('TrustDomain', 'lab.example')]],
])

const groupIds = ['one', 'two', 'three'] as const
const containerIds = ['a', 'b', 'c'] as const
const leafIds = ['1', '2'] as const
const containers = ['Ward', 'Lab::Rack', 'Lab::Deep::Rack', 'Site::Rack', 'Lab::Team'] as const

/** Cedar's spelling of an entity's name. */
export function entityName(type: string, id: string): string {
  return `${type}::${JSON.stringify(id)}`
}

const all = (types: readonly string[], ids: readonly string[]) =>
  types.flatMap((type) => ids.map((id) => entityName(type, id)))

const kind = (type: string, ids: readonly string[], above: readonly string[] = []): Kind => ({
  type,
  ids: all([type], ids),
  above,
})
const inContainers = (...types: readonly string[]) => all(types, containerIds)
const inService = (name: string) => entityName('Service', name)
const groupsOfActions = [
  ...all(['Action'], ['read', 'write', 'admin', 'look']),
  ...all(['Lab::Action'], ['sensitive', 'export']),
  ...all(['Lab::Deep::Action'], ['sensitive']),
  ...all(['Site::Action'], ['sensitive', 'export']),
]

/** The names that policies over these worlds use. */
export const worldNames: Names = {
  principals: [
    kind(
      'Agent',
      worldAgents.map(({ uri }) => uri),
      [
        ...all(['AgentGroup'], groupIds),
        ...all(['Namespace'], ['hospital.example/billing', 'lab.example/billing']),
        ...all(['TrustDomain'], ['hospital.example', 'lab.example']),
      ],
    ),
    kind('AgentGroup', groupIds, all(['AgentGroup'], groupIds)),
    kind(
      'User',
      ['hospital/clerk', 'hospital/clinician'],
      all(['Group'], ['hospital/billing', 'hospital/clinicians']),
    ),
    kind(
      'Namespace',
      ['hospital.example/billing', 'lab.example/billing'],
      all(['TrustDomain'], ['hospital.example', 'lab.example']),
    ),
    kind('Lab::Team', containerIds, inContainers('Lab::Team')),
    kind('Autonomous', ['spiffe://lab.example/robot']),
  ],
  actions: [
    kind('Action', ['look', 'change', 'freeze', 'ship', 'GET', 'PUT', 'admin'], groupsOfActions),
    kind('Lab::Action', ['export', 'change-it'], groupsOfActions),
    kind('Lab::Deep::Action', ['sensitive'], groupsOfActions),
    kind('Site::Action', ['export', 'sensitive'], groupsOfActions),
  ],
  resources: [
    kind('Patient', leafIds, [...inContainers('Ward', 'Site::Rack'), inService('wards')]),
    kind('Lab::Sample', leafIds, [...inContainers('Lab::Rack', 'Lab::Deep::Rack'), inService('lab')]),
    kind('Lab::Deep::Vial', leafIds, [...inContainers('Lab::Rack', 'Lab::Deep::Rack'), inService('deep')]),
    kind('Site::Sample', leafIds, [...inContainers('Site::Rack'), inService('site')]),
    kind('Room', leafIds, [inService('rooms')]),
    kind('Service', ['wards', 'lab', 'deep', 'site', 'rooms', 'plain']),
    kind('Ward', containerIds, inContainers('Ward', 'Site::Rack')),
    kind('Lab::Rack', containerIds, inContainers('Lab::Rack')),
    kind('Lab::Deep::Rack', containerIds, inContainers('Lab::Rack', 'Lab::Deep::Rack')),
    kind('Site::Rack', containerIds, inContainers('Site::Rack')),
  ],
}

/** Generates entities.json: each pair is a child and its parent. No subset of them is a circle. */
const edges: readonly (readonly [child: EntityUid, parent: EntityUid])[] = [
  ...containers.flatMap((type) => ladder(type, containerIds)),
  ...ladder('AgentGroup', groupIds),
  ...across('Ward', containerIds, 'Site::Rack', containerIds),
  ...across('Lab::Deep::Rack', containerIds, 'Lab::Rack', containerIds),
  ...across('Patient', leafIds, 'Ward', containerIds),
  ...across('Lab::Sample', leafIds, 'Lab::Rack', containerIds),
  ...across('Lab::Sample', leafIds, 'Lab::Deep::Rack', containerIds),
  ...across('Lab::Deep::Vial', leafIds, 'Lab::Deep::Rack', containerIds),
  ...across('Site::Sample', leafIds, 'Site::Rack', containerIds),
  ...worldAgents.flatMap(({ uri }) => across('Agent', [uri], 'AgentGroup', groupIds)),
]

/** Each id lies in all later ones, directly. */
function ladder(type: string, ids: readonly string[]): readonly (readonly [EntityUid, EntityUid])[] {
  return ids.flatMap((id, index) =>
    ids.slice(index + 1).map((above) => [uid(type, id), uid(type, above)] as const),
  )
}

function across(
  type: string,
  ids: readonly string[],
  aboveType: string,
  aboveIds: readonly string[],
): readonly (readonly [EntityUid, EntityUid])[] {
  return ids.flatMap((id) => aboveIds.map((above) => [uid(type, id), uid(aboveType, above)] as const))
}

/** A chain of one step each, the deepest that a type can have. */
const steps = [...containers, 'AgentGroup'].map((type) => {
  const ids = type === 'AgentGroup' ? groupIds : containerIds
  return ids.slice(1).map((above, index) => [uid(type, ids[index] ?? ''), uid(type, above)] as const)
})

/** Names are written in either of Cedar's two spellings. */
type Spelling = (name: EntityUid) => EntityJson['uid']

/** The groups of actions once more, as the schema has them: entities.json may repeat them. */
const repeatedActions: readonly EntityJson[] = [
  { uid: uid('Lab::Action', 'sensitive'), attrs: {}, parents: [] },
  { uid: uid('Lab::Action', 'export'), attrs: {}, parents: [uid('Lab::Action', 'sensitive')] },
]

/** Draws an entities.json: nothing, only parents, or parents and attributes. */
export const drawnEntities: fc.Arbitrary<readonly EntityJson[]> = fc
  .record({
    edges: fc.subarray([...edges], { maxLength: 40 }),
    chains: fc.subarray([...steps]),
    hasAttributes: fc.boolean(),
    isEmpty: fc.integer({ min: 0, max: 9 }).map((digit) => digit === 0),
    isEscaped: fc.boolean(),
    repeatsActions: fc.boolean(),
    doctor: fc.constantFrom(...worldAgents),
    container: fc.constantFrom(...containerIds),
  })
  .map((drawn) => {
    if (drawn.isEmpty) return []
    const spell: Spelling = (name) => (drawn.isEscaped ? { __entity: name } : name)
    const entities = toEntities([...drawn.edges, ...drawn.chains.flat()], spell)
    if (drawn.hasAttributes) describe(entities, drawn, spell)
    return [...entities.values(), ...(drawn.repeatsActions ? repeatedActions : [])]
  })

function toEntities(pairs: typeof edges, spell: Spelling): Map<string, EntityJson> {
  const entities = new Map<string, EntityJson>()
  for (const [child, parent] of pairs) {
    const name = entityName(child.type, child.id)
    const entity = entities.get(name) ?? { uid: spell(child), attrs: {}, parents: [] }
    entities.set(name, entity)
    if (!JSON.stringify(entity.parents).includes(JSON.stringify(parent))) entity.parents.push(spell(parent))
  }
  return entities
}

/** Gives attributes to some resources and to the teams that these refer to. */
function describe(
  entities: Map<string, EntityJson>,
  { doctor, container }: Description,
  spell: Spelling,
): void {
  const agent = { __entity: uid('Agent', doctor.uri) }
  const team = { __entity: uid('Lab::Team', container) }
  const give = (self: EntityUid, attrs: EntityJson['attrs'], rest: Partial<EntityJson> = {}) => {
    const name = entityName(self.type, self.id)
    entities.set(name, { ...(entities.get(name) ?? { uid: spell(self), parents: [] }), attrs, ...rest })
  }
  const common = { vip: true, floor: 2, doctor: agent, team }
  give(
    uid('Patient', '1'),
    { ...common, rack: { __entity: uid('Site::Rack', container) } },
    { tags: { shelf: { __entity: uid('Lab::Rack', container) } } },
  )
  // The schema lets a name be written without the escape.
  give(uid('Lab::Sample', '1'), { ...common, rack: uid('Lab::Deep::Rack', container) })
  give(uid('Lab::Team', container), { lead: agent })
}

function uid(type: string, id: string): EntityUid {
  return { type, id }
}
