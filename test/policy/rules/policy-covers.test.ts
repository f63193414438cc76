import { expect } from 'chai'
import { coveredPolicies } from '../../../src/policy/rules/policy-covers.ts'
import { mustLoad, policyFiles } from '../../support/policy-files.ts'

const agent = 'Agent::"spiffe://hospital.example/ns/test/sa/agent"'
const entities = JSON.stringify([
  {
    uid: { type: 'Agent', id: 'spiffe://hospital.example/ns/test/sa/agent' },
    attrs: {},
    parents: [{ type: 'AgentGroup', id: 'inner' }],
  },
  { uid: { type: 'AgentGroup', id: 'inner' }, attrs: {}, parents: [{ type: 'AgentGroup', id: 'outer' }] },
])
const schema =
  'namespace Lab { action "reading"; action "GET-it" in ["reading"]; }\nnamespace Site { action "reading"; action "GET-it"; }\nentity Patient in [Service];\naction "read-it" in [Action::"read", Lab::Action::"reading"] appliesTo {principal: [Agent, User], resource: [Patient, Service], context: RequestContext};\n'
const place = 'resource in Service::"records"'

describe('policy/rules/policy-covers', () => {
  const pairs: readonly {
    readonly name: string
    readonly wide: string
    readonly narrow: string
    readonly covers: boolean
  }[] = [
    {
      name: 'any agent covers one',
      wide: `principal is Agent, action, ${place}`,
      narrow: `principal == ${agent}, action, ${place}`,
      covers: true,
    },
    {
      name: 'one agent does not cover any',
      wide: `principal == ${agent}, action, ${place}`,
      narrow: `principal is Agent, action, ${place}`,
      covers: false,
    },
    {
      name: 'a group covers who is in it',
      wide: `principal in AgentGroup::"outer", action, ${place}`,
      narrow: `principal == ${agent}, action, ${place}`,
      covers: true,
    },
    {
      name: 'a group covers a group in it',
      wide: `principal in AgentGroup::"outer", action, ${place}`,
      narrow: `principal in AgentGroup::"inner", action, ${place}`,
      covers: true,
    },
    {
      name: 'a group does not cover one around it',
      wide: `principal in AgentGroup::"inner", action, ${place}`,
      narrow: `principal in AgentGroup::"outer", action, ${place}`,
      covers: false,
    },
    {
      name: 'a type covers itself in a group',
      wide: `principal is Agent, action, ${place}`,
      narrow: `principal is Agent in AgentGroup::"inner", action, ${place}`,
      covers: true,
    },
    {
      name: 'a type in a group does not cover the type',
      wide: `principal is Agent in AgentGroup::"inner", action, ${place}`,
      narrow: `principal is Agent, action, ${place}`,
      covers: false,
    },
    {
      name: 'a group of actions covers its members',
      wide: `principal is Agent, action in Action::"read", ${place}`,
      narrow: `principal is Agent, action == Action::"read-it", ${place}`,
      covers: true,
    },
    {
      name: 'a group of actions in a namespace covers its members',
      wide: `principal is Agent, action in Lab::Action::"reading", ${place}`,
      narrow: `principal is Agent, action == Action::"read-it", ${place}`,
      covers: true,
    },
    {
      name: 'a group of the same name in another namespace covers nothing of it',
      wide: `principal is Agent, action in Site::Action::"reading", ${place}`,
      narrow: `principal is Agent, action == Action::"read-it", ${place}`,
      covers: false,
    },
    {
      name: 'an action does not cover one of the same name in another namespace',
      wide: `principal is Agent, action == Site::Action::"GET-it", ${place}`,
      narrow: `principal is Agent, action == Lab::Action::"GET-it", ${place}`,
      covers: false,
    },
    {
      name: 'one action does not cover its group',
      wide: `principal is Agent, action == Action::"read-it", ${place}`,
      narrow: `principal is Agent, action in Action::"read", ${place}`,
      covers: false,
    },
    {
      name: 'a list of actions covers a part of it',
      wide: `principal is Agent, action in [Action::"read", Action::"POST"], ${place}`,
      narrow: `principal is Agent, action in [Action::"GET", Action::"POST"], ${place}`,
      covers: true,
    },
    {
      name: 'a service does not cover its resources by ==',
      wide: 'principal is Agent, action, resource == Service::"records"',
      narrow: `principal is Agent, action, ${place}`,
      covers: false,
    },
  ]
  for (const { name, wide, narrow, covers } of pairs) {
    it(name, () => {
      const cedar = `permit (${narrow});\npermit (${wide});`
      const revision = mustLoad(
        policyFiles({ 'team/a.cedar': cedar, 'entities.json': entities, 'schema.cedarschema': schema }),
      )
      const found = coveredPolicies(revision).map(({ policy, by }) => [policy.id, by.id])
      expect(found.some(([id]) => id === 'team/a.cedar#1')).to.equal(covers)
    })
  }

  const conditions: readonly {
    readonly name: string
    readonly wide: string
    readonly narrow: string
    readonly covers: boolean
  }[] = [
    {
      name: 'fewer conditions cover more',
      wide: 'when { context.role == "caller" }',
      narrow: 'when { context.chain.depth < 2 && context.role == "caller" }',
      covers: true,
    },
    {
      name: 'another condition covers nothing',
      wide: 'when { context.role == "caller" }',
      narrow: 'when { context.role == "delegator" }',
      covers: false,
    },
    {
      name: 'an exemption is not the condition',
      wide: 'when { context.role == "caller" }',
      narrow: 'unless { context.role == "caller" }',
      covers: false,
    },
  ]
  for (const { name, wide, narrow, covers } of conditions) {
    it(name, () => {
      const scope = `(principal is Agent, action, ${place})`
      const cedar = `permit ${scope} ${narrow};\npermit ${scope} ${wide};`
      expect(coveredPolicies(mustLoad(policyFiles({ 'team/a.cedar': cedar })))).to.have.length(covers ? 1 : 0)
    })
  }

  it('lets a forbid cover a permit, and never a permit a forbid', () => {
    const scope = `(principal is Agent, action, ${place})`
    const found = coveredPolicies(
      mustLoad(policyFiles({ 'team/a.cedar': `permit ${scope};\nforbid ${scope};` })),
    )
    expect(found.map(({ policy }) => policy.id)).to.deep.equal(['team/a.cedar#1'])
  })
})
