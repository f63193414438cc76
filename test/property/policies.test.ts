import type { EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { expect } from 'chai'
import fc from 'fast-check'
import { isDeny, type PrincipalResult } from '../../src/model/decision.ts'
import type { Query } from '../../src/model/query.ts'
import { createCedar } from '../../src/revision/cedar.ts'
import { toCedarCall } from '../../src/revision/cedar-call.ts'
import { createEngine } from '../../src/revision/engine.ts'
import { entityKey } from '../../src/revision/entities.ts'
import { parsePolicies } from '../../src/revision/policies.ts'
import { productSchema } from '../../src/revision/product-schema.ts'
import { createRevision } from '../../src/revision/revision.ts'
import { readFamilies } from '../../src/revision/slices.ts'
import { targetOf } from '../../src/revision/target.ts'
import { clerk, clinician, hospital, user } from '../support/identities.ts'
import { mustLoad, policyFiles, waypoint, workload } from '../support/policy-files.ts'

const cedar = createCedar()
const schema = `
entity Ward in [Ward];
entity Patient in [Ward, Service] {vip?: Bool, doctor?: Agent, floor?: Long};
entity Room in [Service];
action "admin" in [Action::"write"];
action "look" in [Action::"read"] appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Room, Service], context: RequestContext};
action "change" in [Action::"write", Action::"admin"] appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Room, Service], context: RequestContext};
${productSchema(['id'])}`
const parsed = cedar.schemaToJson(schema)
if (parsed.type === 'failure') throw new TypeError(parsed.errors.map(({ message }) => message).join())
const families = readFamilies(parsed.json)

const routes = (type: string) => [
  { match: 'GET /things/{id}', action: 'look', resource: `${type}::{id}` },
  { match: 'PUT /things/{id}', action: 'change', resource: `${type}::{id}` },
  { match: 'GET /', action: 'look' },
]
const services = ['wards', 'rooms', 'plain'].map((name, index) => ({
  name,
  addresses: [`10.0.0.${index + 1}:80`],
  spiffeId: workload(name),
  waypoint,
  ...(name === 'plain' ? {} : { routes: routes(name === 'wards' ? 'Patient' : 'Room') }),
}))
const catalogSchema = schema.slice(0, schema.indexOf('entity TrustDomain'))
const { catalog } = mustLoad(
  policyFiles({ 'services.yaml': JSON.stringify({ services }), 'schema.cedarschema': catalogSchema }),
)

const { agentA, agentD, agentR } = hospital
const agents = [agentA, agentD, agentR] as const
const quoted = (id: string) => JSON.stringify(id)
const principals = fc.constantFrom(
  'principal',
  'principal is Agent',
  'principal is User',
  'principal is Autonomous',
  ...agents.map(({ uri }) => `principal == Agent::${quoted(uri)}`),
  'principal in AgentGroup::"one"',
  'principal in AgentGroup::"two"',
  'principal in Group::"hospital/billing"',
  'principal in Namespace::"hospital.example/billing"',
  'principal is Agent in TrustDomain::"hospital.example"',
)
const actions = fc.constantFrom(
  'action',
  'action == Action::"look"',
  'action == Action::"change"',
  'action in Action::"read"',
  'action in [Action::"admin", Action::"GET"]',
  'action in Action::"write"',
)
const resources = fc.constantFrom(
  'resource',
  'resource in Service::"wards"',
  'resource in Service::"rooms"',
  'resource == Service::"plain"',
  'resource is Patient',
  'resource is Room in Service::"rooms"',
  'resource == Patient::"1"',
  'resource in Ward::"west"',
  'resource in Ward::"house"',
  'resource is Patient in Ward::"house"',
)
const conditions = fc.constantFrom(
  'true',
  'context.role == "caller"',
  'context.role == "subject"',
  'context has delegatee',
  `context has delegatee && context.delegatee == Agent::${quoted(agentD.uri)}`,
  'context has delegatee && context.delegatee in AgentGroup::"one"',
  'context.chain.depth > 1',
  `context.chain.actors.contains(Agent::${quoted(agentA.uri)})`,
  'context.chain has subject && context.chain.subject in Group::"hospital/clinicians"',
  'context.chain.scopes.contains("a")',
  'context.chain.recovered',
  'context.http.method == "GET"',
  'context.http.path like "*/1"',
  'context.params has id && context.params.id == "1"',
  'action in Action::"admin"',
  'Action::"change" in Action::"admin"',
  'resource in Ward::"house"',
  'resource is Patient in Ward::"west"',
  'principal is User in Group::"hospital/billing"',
  'principal in Namespace::"hospital.example/billing" || principal in TrustDomain::"hospital.example"',
  'context has delegatee && context.delegatee in Namespace::"hospital.example/billing"',
  'context.chain.actors.contains(principal)',
  'context.chain has subject && context.chain.subject == principal',
  '[principal].contains(resource) || (if context.role == "caller" then principal else resource) in Service::"wards"',
  'resource.floor > 1',
  'Patient::"1" in Ward::"house"',
  'resource is Patient && resource has vip && resource.vip',
  'resource is Patient && resource has doctor && resource.doctor == principal',
  'resource is Patient && resource has doctor && resource.doctor in AgentGroup::"two"',
  'resource is Patient && resource has floor && resource.floor + 9223372036854775807 > 0',
  `Agent::${quoted(agentR.uri)} in AgentGroup::"two"`,
  'principal in [AgentGroup::"one", Group::"hospital/billing"]',
)
const policyText = fc
  .tuple(
    fc.constantFrom('permit', 'permit', 'forbid'),
    principals,
    actions,
    resources,
    fc.constantFrom('when', 'unless'),
    conditions,
  )
  .map(
    ([effect, principal, action, resource, kind, condition]) =>
      `${effect} (${principal}, ${action}, ${resource}) ${kind} { ${condition} };`,
  )

const uid = (type: string, id: string) => ({ type, id })
const family = fc.record({
  memberships: fc.uniqueArray(fc.tuple(fc.constantFrom(...agents), fc.constantFrom('one', 'two')), {
    maxLength: 4,
    selector: ([{ uri }, group]) => uri + group,
  }),
  isNested: fc.boolean(),
  wardOfOne: fc.option(fc.constantFrom('west', 'east')),
  hasAttributes: fc.boolean(),
})
type Family = {
  memberships: [(typeof agents)[number], string][]
  isNested: boolean
  wardOfOne: string | null
  hasAttributes: boolean
}

function toEntities({
  memberships,
  isNested,
  wardOfOne,
  hasAttributes,
}: Family): ReadonlyMap<string, EntityJson> {
  const groups = [uid('AgentGroup', 'one'), uid('AgentGroup', 'two')] as const
  const attrs = hasAttributes ? { vip: true, floor: 2, doctor: { __entity: uid('Agent', agentR.uri) } } : {}
  const entities: EntityJson[] = [
    { uid: groups[0], attrs: {}, parents: isNested ? [groups[1]] : [] },
    { uid: groups[1], attrs: {}, parents: [] },
    ...agents.map(({ uri }) => ({
      uid: uid('Agent', uri),
      attrs: {},
      parents: memberships
        .filter(([agent]) => agent.uri === uri)
        .map(([, group]) => uid('AgentGroup', group)),
    })),
    { uid: uid('Patient', '1'), attrs, parents: wardOfOne === null ? [] : [uid('Ward', wardOfOne)] },
    { uid: uid('Ward', 'west'), attrs: {}, parents: [uid('Ward', 'house')] },
    { uid: uid('Ward', 'house'), attrs: {}, parents: [] },
  ]
  return new Map(entities.map((entity) => [entityKey(entity.uid as { type: string; id: string }), entity]))
}

// One user with other groups is another subject: a group that was lost must not be remembered.
const subjects = [clerk, clinician, user('clerk'), user('clerk', 'clinicians')] as const
const query = fc
  .record({
    service: fc.constantFrom(...catalog.services),
    method: fc.constantFrom('GET', 'PUT'),
    path: fc.constantFrom('/', '/things/1', '/things/2'),
    agent: fc.constantFrom(...agents),
    subject: fc.option(fc.constantFrom(...subjects), { nil: undefined }),
    actors: fc.array(fc.constantFrom(...agents), { maxLength: 3 }),
    scopes: fc.constantFrom([], ['a']),
    isRecovered: fc.boolean(),
    delegatee: fc.option(fc.constantFrom(...agents), { nil: undefined }),
    role: fc.constantFrom('caller', 'delegator', 'subject', 'autonomous'),
  })
  .map(({ service, method, path, agent, ...rest }): Query | undefined => {
    const { subject, actors, scopes, isRecovered, delegatee, role } = rest
    const target = targetOf(service, { method, path, isUpgrade: false })
    if (isDeny(target)) return undefined
    const principal =
      role === 'subject' && subject !== undefined
        ? ({ kind: 'user', subject } as const)
        : ({ kind: role === 'autonomous' ? 'autonomous' : 'agent', id: agent } as const)
    return { principal, role, delegatee, chain: { actors, subject, scopes, isRecovered }, target } as Query
  })

describe('property: slices, footprints and memory', () => {
  it('never change an answer: the same as every policy, every entity and the whole context give', () => {
    fc.assert(
      fc.property(
        fc.array(policyText, { minLength: 1, maxLength: 8 }),
        family,
        fc.array(query, { minLength: 1, maxLength: 6 }),
        (texts, drawn, queries) => {
          const entities = toEntities(drawn)
          const { policies, problems } = parsePolicies(cedar, new Map([['p.cedar', texts.join('\n')]]))
          expect(problems).to.deep.equal([])
          const hasSchema = drawn.hasAttributes
          const revision = createRevision({
            id: 'r',
            files: new Map(),
            digest: '',
            catalog,
            policies,
            entities,
            families,
            hasSchema,
            engine: createEngine(hasSchema ? schema : undefined),
          })
          // Twice, so that the second answers come from memory.
          for (const asked of [...queries, ...queries])
            if (asked !== undefined) compare(asked, revision.evaluate(asked), policies, entities)
        },
      ),
      { numRuns: 150 },
    )
  })
})

/** Cedar itself, asked about everything at once. */
function compare(
  asked: Query,
  result: PrincipalResult,
  policies: ReturnType<typeof parsePolicies>['policies'],
  entities: ReadonlyMap<string, EntityJson>,
): void {
  const literals = [...entities.values()].map((entity) => entity.uid as { type: string; id: string })
  const call = toCedarCall(asked, {
    entities,
    actions: undefined,
    footprint: { context: undefined, literals, descents: undefined },
  })
  const answer = cedar.isAuthorized({
    ...call,
    entities: [...call.entities],
    schema,
    validateRequest: false,
    policies: { staticPolicies: Object.fromEntries(policies.map(({ id, text }) => [id, text])) },
  })
  if (answer.type === 'failure') throw new TypeError(answer.errors.map(({ message }) => message).join())
  expect(result.errors.filter(({ policy }) => policy.id === 'engine')).to.deep.equal([])
  const { decision, diagnostics } = answer.response
  expect(result.determiningPolicies.map(({ id }) => id)).to.have.members(diagnostics.reason)
  expect(result.errors.map(({ policy, message }) => `${policy.id}: ${message}`)).to.have.members(
    diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`),
  )
  if (diagnostics.errors.length === 0) expect(result.outcome === 'permit').to.equal(decision === 'allow')
}
