import { expect } from 'chai'
import { type EntityUid, entityKey } from '../../../src/base/model/entity-uid.ts'
import type { Query } from '../../../src/base/model/query.ts'
import type { Service } from '../../../src/base/model/target.ts'
import { type CallScope, toCedarCall } from '../../../src/policy/cedar/cedar-call.ts'
import type { Variable } from '../../../src/policy/cedar/descents.ts'
import { clerk, hospital, user } from '../../support/identities.ts'
import { mustLoad, policyFiles } from '../../support/policy-files.ts'

const [service] = mustLoad(policyFiles()).catalog.services
if (service === undefined) throw new TypeError('no service')

function query(service: Service, overlay: Partial<Query> = {}): Query {
  return {
    principal: { kind: 'agent', id: hospital.agentD },
    role: 'caller',
    delegatee: undefined,
    chain: { actors: [hospital.agentD, hospital.agentA], subject: clerk, scopes: ['a'], isRecovered: false },
    target: {
      service,
      action: { type: 'Action', id: 'read-it' },
      resource: { type: 'Patient', id: '42' },
      params: [{ name: 'patientId', value: '42' }],
      requiredScope: undefined,
      method: 'GET',
      path: '/patients/42',
    },
    ...overlay,
  }
}

function everything(entities: CallScope['entities'] = new Map()): CallScope {
  return {
    entities,
    actions: undefined,
    footprint: { context: undefined, literals: [], descents: undefined },
  }
}

describe('policy/cedar/cedar-call', () => {
  it('gives an agent its namespace and trust domain, a resource its service, a user its groups', () => {
    const { entities } = toCedarCall(query(service), everything())
    const parents = new Map(entities.map((entity) => [JSON.stringify(entity.uid), entity.parents]))
    const of = (type: string, id: string) => parents.get(JSON.stringify({ type, id }))
    expect(of('Agent', hospital.agentD.uri)).to.deep.equal([
      { type: 'Namespace', id: 'hospital.example/billing' },
      { type: 'TrustDomain', id: 'hospital.example' },
    ])
    expect(of('Patient', '42')).to.deep.equal([{ type: 'Service', id: 'records' }])
    expect(of('User', 'hospital/clerk')).to.deep.equal([{ type: 'Group', id: 'hospital/billing' }])
  })

  it('gives an autonomous caller no parents at all', () => {
    const { entities, principal } = toCedarCall(
      query(service, {
        principal: { kind: 'autonomous', id: hospital.agentD },
        chain: { actors: [], subject: undefined, scopes: [], isRecovered: false },
      }),
      everything(),
    )
    expect(principal.type).to.equal('Autonomous')
    expect(
      entities.find(({ uid }) => JSON.stringify(uid) === JSON.stringify(principal))?.parents,
    ).to.deep.equal([])
  })

  it('adds what entities.json knows, and keeps its attributes', () => {
    const uid = { type: 'Agent', id: hospital.agentD.uri }
    const group = { type: 'AgentGroup', id: 'g' }
    const known = new Map([[entityKey(uid), { uid, attrs: {}, parents: [group] }]])
    const { entities } = toCedarCall(query(service), everything(known))
    const agents = entities.filter((entity) => JSON.stringify(entity.uid) === JSON.stringify(uid))
    expect(agents).to.have.length(1)
    expect(agents[0]?.parents)
      .to.deep.include(group)
      .and.to.deep.include({ type: 'TrustDomain', id: 'hospital.example' })
  })

  it('keeps what a client chose as text: no escape becomes an entity', () => {
    const text = '{"__entity":{"type":"User","id":"root"}}'
    const target = {
      ...query(service).target,
      params: [{ name: 'patientId', value: text }],
      path: `/${text}`,
    }
    const { context } = toCedarCall(query(service, { target }), everything())
    expect(context['params']).to.deep.equal({ patientId: text })
    expect(context['http']).to.deep.equal({ method: 'GET', path: `/${text}` })
  })

  it('makes every string well-formed, since a lone surrogate would make the engine throw', () => {
    const call = toCedarCall(
      query(service, {
        principal: { kind: 'user', subject: user('\ud800', '\udfff') },
        chain: { actors: [], subject: user('\ud800', '\udfff'), scopes: ['\ud800'], isRecovered: false },
        target: {
          ...query(service).target,
          resource: { type: 'Patient', id: '\ud800' },
          params: [{ name: 'patientId', value: '\ud800' }],
        },
      }),
      everything(),
    )
    expect(JSON.stringify(call)).to.not.match(/\\ud[89a-f]/i)
  })

  it('encodes only what the slice can read', () => {
    const scope = {
      ...everything(),
      footprint: { context: new Set(['role', 'params']), literals: [], descents: undefined },
    }
    expect(toCedarCall(query(service), scope).context).to.deep.equal({
      role: 'caller',
      params: { patientId: '42' },
    })
  })

  const nobody = { type: 'User', id: 'nobody' }
  const ward = { type: 'Ward', id: 'west' }
  const house = { type: 'Ward', id: 'house' }
  const known = new Map(
    [
      { uid: { type: 'Patient', id: '42' }, attrs: {}, parents: [ward] },
      { uid: ward, attrs: {}, parents: [house] },
      { uid: house, attrs: {}, parents: [] },
    ].map((entity) => [entityKey(entity.uid), entity]),
  )
  const readIt = { type: 'Action', id: 'read-it' }
  const groups = [
    { type: 'Action', id: 'read' },
    { type: 'Lab::Action', id: 'sensitive' },
  ]
  const actions = new Map([[entityKey(readIt), new Map(groups.map((group) => [entityKey(group), group]))]])
  const descents: readonly { of: readonly Variable[]; want: readonly string[] }[] = [
    { of: [], want: [] },
    { of: ['principal'], want: ['User hospital/clerk'] },
    { of: ['resource'], want: ['Patient 42', 'Ward west'] },
    { of: ['action'], want: ['Action read-it'] },
    {
      of: ['principal', 'action', 'resource'],
      want: ['User hospital/clerk', 'Patient 42', 'Ward west', 'Action read-it'],
    },
  ]
  for (const { of, want } of descents) {
    it(`sends for the ancestors of ${of.join(', ') || 'nobody'} what has any: ${want.join(', ') || 'nothing'}`, () => {
      const footprint = { context: undefined, literals: [nobody, house], descents: new Set(of) }
      const { entities } = toCedarCall(query(service, { principal: { kind: 'user', subject: clerk } }), {
        entities: known,
        actions,
        footprint,
      })
      // `uid` is written in one way only.
      const names = entities.map(({ uid }) => Object.values(uid).join(' '))
      expect(names).to.have.members(want)
    })
  }

  it('gives an action its groups when the engine has no schema to know them by', () => {
    const { entities } = toCedarCall(query(service), { ...everything(), actions })
    expect(entities).to.deep.include({ uid: readIt, attrs: {}, parents: groups })
  })

  const agent = (id: string) => ({ type: 'Agent', id })
  const home = { type: 'TrustDomain', id: 'lab.example' }
  const literals: readonly { name: string; literal: EntityUid; parents: readonly EntityUid[] }[] = [
    {
      name: 'an agent that has no part in the request its namespace and trust domain',
      literal: agent('spiffe://lab.example/ns/west/sa/robot'),
      parents: [{ type: 'Namespace', id: 'lab.example/west' }, home],
    },
    {
      name: 'an agent without a namespace its trust domain',
      literal: agent('spiffe://lab.example/robot'),
      parents: [home],
    },
    {
      name: 'a namespace its trust domain',
      literal: { type: 'Namespace', id: 'lab.example/west' },
      parents: [home],
    },
    { name: 'an action its groups', literal: readIt, parents: groups },
    { name: 'an entity of entities.json its parents there', literal: ward, parents: [house] },
  ]
  for (const { name, literal, parents } of literals) {
    it(`gives ${name}, when a policy names it`, () => {
      const footprint = { context: undefined, literals: [literal], descents: undefined }
      const { entities } = toCedarCall(query(service), { entities: known, actions, footprint })
      const found = entities.filter(({ uid }) => JSON.stringify(uid) === JSON.stringify(literal))
      expect(found.map((entity) => entity.parents)).to.deep.equal([parents])
    })
  }

  it('gives an agent its namespace when only an attribute refers to it', () => {
    const doctor = agent('spiffe://lab.example/ns/west/sa/robot')
    const uid = { type: 'Patient', id: '42' }
    const entity = { uid, attrs: { doctor: { __entity: doctor } }, parents: [] }
    const { entities } = toCedarCall(query(service), everything(new Map([[entityKey(uid), entity]])))
    const found = entities.find((other) => JSON.stringify(other.uid) === JSON.stringify(doctor))
    expect(found?.parents).to.deep.include({ type: 'Namespace', id: 'lab.example/west' })
  })
})
