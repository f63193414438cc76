import type { EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { expect } from 'chai'
import {
  type EntityUid,
  entityKey,
  formatEntityUid,
  toEntityUid,
} from '../../../src/base/model/entity-uid.ts'
import { homesOf, type KnownKin, withKin } from '../../../src/policy/cedar/kin.ts'
import { spiffeId } from '../../support/forge.ts'

const uid = (type: string, id: string): EntityUid => ({ type, id })
const agent = uid('Agent', 'spiffe://hospital.example/ns/billing/sa/agent-a')
const home = uid('Namespace', 'hospital.example/billing')
const domain = uid('TrustDomain', 'hospital.example')
const entity = (self: EntityUid, ...parents: EntityUid[]): EntityJson => ({ uid: self, attrs: {}, parents })
const known = (...entities: EntityJson[]): KnownKin['entities'] =>
  new Map(entities.map((one) => [entityKey(toEntityUid(one.uid)), one]))
const nothing: KnownKin = { entities: known(), actions: undefined }

function parentsOf(found: readonly EntityJson[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    found.map(({ uid: self, parents }) => [
      formatEntityUid(toEntityUid(self)),
      parents.map((parent) => formatEntityUid(toEntityUid(parent))),
    ]),
  )
}
const names = (...uids: EntityUid[]) => uids.map(formatEntityUid)

describe('policy/cedar/kin', () => {
  it('gives an agent that only a policy names the parents that its name proves', () => {
    expect(parentsOf(withKin([], [agent], nothing))).to.deep.equal({
      [formatEntityUid(agent)]: names(home, domain),
    })
  })

  it('gives a namespace its trust domain, and what proves nothing no parents', () => {
    const strangers = [
      uid('Lab::Agent', agent.id),
      uid('Agent', 'agent-a'),
      uid('Autonomous', agent.id),
      domain,
    ]
    expect(parentsOf(withKin([], [home, ...strangers], nothing))).to.deep.equal({
      [formatEntityUid(home)]: names(domain),
    })
  })

  it('adds what entities.json says to what a name proves, at every distance', () => {
    const [staff, all] = [uid('AgentGroup', 'staff'), uid('AgentGroup', 'all')]
    const entities = known(entity(agent, staff), entity(staff, all))
    expect(parentsOf(withKin([], [agent], { entities, actions: undefined }))).to.deep.equal({
      [formatEntityUid(agent)]: names(staff, home, domain),
      [formatEntityUid(staff)]: names(all),
    })
  })

  it('keeps the proven parents of an entity that a policy names, too', () => {
    const user = uid('User', 'hospital/clerk')
    const group = uid('Group', 'hospital/billing')
    expect(parentsOf(withKin([entity(user, group)], [user], nothing))).to.deep.equal({
      [formatEntityUid(user)]: names(group),
    })
  })

  it('gives an action the groups of its own namespace, unless the engine knows them', () => {
    const [asked, sensitive] = [uid('Action', 'export'), uid('Lab::Action', 'sensitive')]
    const groups = new Map([[entityKey(asked), new Map([[entityKey(sensitive), sensitive]])]])
    expect(parentsOf(withKin([], [asked], { entities: known(), actions: groups }))).to.deep.equal({
      [formatEntityUid(asked)]: names(sensitive),
    })
    const other = uid('Lab::Action', 'export')
    expect(withKin([], [other], { entities: known(), actions: groups })).to.deep.equal([])
    expect(withKin([], [asked], nothing)).to.deep.equal([])
  })

  it('knows no namespace of an agent outside of Kubernetes', () => {
    expect(homesOf(spiffeId('spiffe://lab.example/robot'))).to.deep.equal([uid('TrustDomain', 'lab.example')])
  })
})
