import { expect } from 'chai'
import { isDeny } from '../../../src/base/model/decision.ts'
import { targetOf } from '../../../src/policy/catalog/target.ts'
import { createCedar } from '../../../src/policy/cedar/cedar.ts'
import { readFamilies } from '../../../src/policy/cedar/families.ts'
import { parsePolicies } from '../../../src/policy/cedar/policies.ts'
import { createSlicer } from '../../../src/policy/cedar/slices.ts'
import { countReads } from '../../support/counted.ts'
import { mustLoad, policyFiles, servicesYaml } from '../../support/policy-files.ts'

const cedar = createCedar()
const schema = cedar.schemaToJson(`
entity Service; entity Ward in [Service]; entity Patient in [Ward, Service, Lab::Rack]; entity Other in [Service];
entity Group; entity Team in [Group]; entity User in [Team];
namespace Lab { action "sensitive"; action "export" in ["sensitive"]; entity Rack; }
namespace Site { action "sensitive"; entity Rack; }
action "read"; action "read-it" in [Action::"read", Lab::Action::"export"] appliesTo {principal: [Other], resource: [Patient]};
`)
if (schema.type === 'failure') throw new TypeError('bad schema')
const families = readFamilies(schema.json)
const { catalog } = mustLoad(
  policyFiles({
    'services.yaml': servicesYaml({
      routes: [{ match: 'GET /patients/{id}', action: 'read-it', resource: 'Patient::{id}' }],
    }),
  }),
)
const [service] = catalog.services
const target = service && targetOf(service, { method: 'GET', path: '/patients/42', isUpgrade: false })
if (target === undefined || isDeny(target)) throw new TypeError('no target')

describe('policy/cedar/slices', () => {
  const rows: readonly [scope: string, isIn: boolean][] = [
    ['principal, action, resource', true],
    ['principal, action == Action::"read-it", resource', true],
    ['principal, action == Action::"write-it", resource', false],
    ['principal, action in Action::"read", resource', true],
    ['principal, action in [Action::"write", Action::"read"], resource', true],
    ['principal, action in [Action::"write"], resource', false],
    ['principal, action in Lab::Action::"export", resource', true],
    ['principal, action in Lab::Action::"sensitive", resource', true],
    ['principal, action in Site::Action::"sensitive", resource', false],
    ['principal, action in Lab::Action::"read", resource', false],
    ['principal, action == Site::Action::"read-it", resource', false],
    ['principal, action, resource in Lab::Rack::"west"', true],
    ['principal, action, resource in Site::Rack::"west"', false],
    ['principal, action, resource is Site::Patient', false],
    ['principal, action, resource in Site::Service::"records"', false],
    ['principal, action, resource in Service::"records"', true],
    ['principal, action, resource in Service::"other"', false],
    ['principal, action, resource == Patient::"7"', true],
    ['principal, action, resource == Other::"7"', false],
    ['principal, action, resource == Service::"records"', false],
    ['principal, action, resource in Patient::"7"', true],
    ['principal, action, resource in Ward::"west"', true],
    ['principal, action, resource in Other::"7"', false],
    ['principal, action, resource is Patient', true],
    ['principal, action, resource is Other', false],
    ['principal, action, resource is Patient in Service::"records"', true],
    ['principal, action, resource is Patient in Service::"other"', false],
    ['principal, action, resource is Patient in Ward::"west"', true],
    ['principal == User::"7", action, resource', true],
    ['principal == Other::"7", action, resource', false],
    ['principal in Team::"west", action, resource', true],
    ['principal in Group::"west", action, resource', true],
    ['principal in User::"7", action, resource', true],
    ['principal in Other::"7", action, resource', false],
    ['principal is User, action, resource', true],
    ['principal is Other, action, resource', false],
    ['principal is User in Group::"west", action, resource', true],
    ['principal is User in Other::"7", action, resource', false],
    ['principal is Other in Group::"west", action, resource', false],
  ]
  for (const [scope, isIn] of rows) {
    it(`${isIn ? 'keeps' : 'leaves out'} (${scope})`, () => {
      const { policies } = parsePolicies(cedar, new Map([['a.cedar', `permit (${scope});`]]))
      expect(createSlicer(policies, families)(target, 'User').policies).to.have.length(isIn ? 1 : 0)
    })
  }

  it('cuts a slice for each type of principal, once', () => {
    const { policies } = parsePolicies(
      cedar,
      new Map([['a.cedar', 'permit (principal is User, action, resource);']]),
    )
    const sliceOf = createSlicer(policies, families)
    expect(sliceOf(target, 'User')).to.equal(sliceOf(target, 'User'))
    expect(sliceOf(target, 'User').key).to.not.equal(sliceOf(target, 'Other').key)
    expect(sliceOf(target, 'Other').policies).to.deep.equal([])
  })

  it('looks at what a service may be asked about, however many policies name other services', () => {
    const [few = 0, many = 0] = [50, 100].map((count) => {
      const texts = Array.from(
        { length: count },
        (_, index) => `permit (principal, action, resource in Service::"s${index}");`,
      )
      const { policies } = parsePolicies(cedar, new Map([['a.cedar', texts.join('\n')]]))
      const { value, reads } = countReads({ policies: [...policies] })
      const sliceOf = createSlicer(value.policies, families)
      for (let index = 0; index < count; index++) {
        const slice = sliceOf({ ...target, service: { name: `s${index}` } }, 'User')
        expect(slice.policies).to.have.length(1)
      }
      return reads()
    })
    expect(many).to.be.within(few, 2.5 * few)
  })

  it('gives services that no policy names one slice, and services that one names their own', () => {
    const texts = [
      'permit (principal, action, resource);',
      'permit (principal, action, resource in Service::"b");',
    ]
    const { policies } = parsePolicies(cedar, new Map([['a.cedar', texts.join('\n')]]))
    const sliceOf = createSlicer(policies, families)
    const [a, b, c] = ['a', 'b', 'c'].map((name) => sliceOf({ ...target, service: { name } }, 'User'))
    expect(a).to.equal(c)
    expect([a?.policies.length, b?.policies.length]).to.deep.equal([1, 2])
    expect(b?.key).to.not.equal(a?.key)
  })
})
