import { expect } from 'chai'
import { formatProblem } from '../../../src/base/document/problem.ts'
import { unknownNames } from '../../../src/policy/rules/unknown-names.ts'
import { hospitalRevision, mustLoad, policyFiles } from '../../support/policy-files.ts'

const id = (namespace: string, account: string, domain = 'hospital.example') =>
  `spiffe://${domain}/ns/${namespace}/sa/${account}`
const service = (name: string, spiffeId: string, rest: object = {}) => ({
  name,
  addresses: [`${name}.test.svc.cluster.local:80`],
  spiffeId,
  waypoint: id('hospital', 'waypoint'),
  ...rest,
})
const routes = [{ match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }]
const services = [
  service('advisor', id('billing', 'advisor')),
  service('records', id('clinic', 'records'), { chainless: [id('clinic', 'nightly')], routes }),
]
const schema = `
namespace Lab { action "sensitive"; action "other"; }
entity Patient in [Service];
action "reading" in [Lab::Action::"sensitive"];
action "read-it" in [Action::"reading"] appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Service], context: RequestContext};
action "write-it" appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Service], context: RequestContext};
`
const entities = [
  { uid: { type: 'Agent', id: id('billing', 'advisor') }, parents: [{ type: 'AgentGroup', id: 'advisors' }] },
  { uid: { type: 'AgentGroup', id: 'advisors' }, parents: [{ type: 'AgentGroup', id: 'everybody' }] },
  { uid: { type: 'AgentGroup', id: 'nobody' } },
]

const scope = 'principal is User, action, resource in Service::"records"'

function found(files: Readonly<Record<string, string>>): readonly string[] {
  const revision = mustLoad(
    policyFiles({
      'services.yaml': JSON.stringify({ services }),
      'schema.cedarschema': schema,
      'entities.json': JSON.stringify(entities, undefined, 1),
      'team/a.cedar': `permit (${scope});`,
      ...files,
    }),
  )
  return unknownNames(revision).map(formatProblem)
}

const policy = (name: string) => ({ 'team/a.cedar': `permit (${scope})\nunless { [${name}].isEmpty() };\n` })

describe('policy/rules/unknown-names', () => {
  it('finds nothing in the sample', async () => {
    expect(unknownNames(await hospitalRevision())).to.deep.equal([])
  })

  const known = [
    `Agent::"${id('billing', 'advisor')}"`,
    `Autonomous::"${id('clinic', 'nightly')}"`,
    'AgentGroup::"advisors"',
    'AgentGroup::"everybody"',
    'Namespace::"hospital.example/billing"',
    'TrustDomain::"hospital.example"',
    'Service::"advisor"',
    'Action::"read-it"',
    'Action::"reading"',
    'Lab::Action::"sensitive"',
    // Of a service without routes, the action is the method.
    'Action::"GET"',
    'Action::"write"',
    'Patient::"42"',
    'Group::"hospital/interns"',
    'User::"hospital/clerk"',
  ]
  for (const name of known) it(`knows ${name}`, () => expect(found(policy(name))).to.deep.equal([]))

  const unknown: readonly (readonly [name: string, message: string])[] = [
    [
      `Agent::"${id('billing', 'adviser')}"`,
      `no service of the catalog runs as this; did you mean \`${id('billing', 'advisor')}\`?`,
    ],
    [
      `Agent::"${id('billing', 'advisor', 'hospital.exmaple')}"`,
      `no service of the catalog runs as this; did you mean \`${id('billing', 'advisor')}\`?`,
    ],
    [`Agent::"${id('pharmacy', 'robot')}"`, 'no service of the catalog runs as this'],
    [
      `Autonomous::"${id('clinic', 'nigthly')}"`,
      `no service of the catalog lists this in \`chainless\`; did you mean \`${id('clinic', 'nightly')}\`?`,
    ],
    ['AgentGroup::"advisers"', 'entities.json puts no agent into it; did you mean `advisors`?'],
    ['AgentGroup::"nobody"', 'entities.json puts no agent into it'],
    [
      'Namespace::"hospital.example/biling"',
      'no service of the catalog runs in it; did you mean `hospital.example/billing`?',
    ],
    [
      'TrustDomain::"hospital.exmaple"',
      'no service of the catalog runs in it; did you mean `hospital.example`?',
    ],
    ['Service::"adviser"', 'the catalog has no such service; did you mean `advisor`?'],
    ['Action::"write-it"', 'no route of the catalog asks it'],
    ['Lab::Action::"other"', 'no route of the catalog asks it'],
  ]
  for (const [name, message] of unknown) {
    it(`does not know ${name}, and says ${message}`, () => {
      const [found_, ...more] = found(policy(name))
      expect(more).to.deep.equal([])
      expect(found_).to.equal(`team/a.cedar:2:11: policy \`team/a.cedar#1\`: ${name}: ${message}`)
    })
  }

  it('finds an agent of entities.json, with its line', () => {
    const text = JSON.stringify(entities, undefined, 1).replace('/sa/advisor', '/sa/adviser')
    const [first, ...more] = found({ 'entities.json': text })
    expect(first).to.match(/^entities\.json:5: .*did you mean `.*\/advisor`\?$/)
    expect(more).to.deep.equal([])
  })

  it('names each once for each policy, however often it stands there', () => {
    const twice = `permit (${scope}) unless { principal in [AgentGroup::"x", AgentGroup::"x"] || principal in AgentGroup::"x" };`
    expect(found({ 'team/a.cedar': `${twice}\n${twice}` })).to.have.length(2)
  })

  const issuers: readonly (readonly [often: string, once: string, isTypo: boolean])[] = [
    ['hospital', 'hosptial', true],
    ['hospital', 'hospitl', true],
    ['hospital', 'hospitall', true],
    ['hospital', 'partner', false],
    ['idp-a', 'idp-b', false],
    ['idp1', 'idp2', false],
    ['idp-1-eu', 'idp-12-eu', false],
  ]
  for (const [often, once, isTypo] of issuers) {
    it(`takes ${once} beside ${often} for ${isTypo ? 'a typo' : 'another identity provider'}`, () => {
      const groups = [`Group::"${often}/a"`, `Group::"${often}/b"`, `Group::"${once}/a"`]
      const texts = groups.map((group) => `permit (${scope}) unless { principal in ${group} };`)
      const [first, ...more] = found({ 'team/a.cedar': texts.join('\n') })
      expect(more).to.deep.equal([])
      if (isTypo) expect(first).to.match(/^team\/a\.cedar:3: .*did you mean `hospital`\?$/)
      else expect(first).to.equal(undefined)
    })
  }

  it('finds a trust domain of chainless callers that is nearly that of all others', () => {
    const chainless = [id('clinic', 'odd', 'hospital.exmaple')]
    const odd = { ...service('odd', id('clinic', 'odd')), chainless }
    const [first, ...more] = found({ 'services.yaml': JSON.stringify({ services: [...services, odd] }) })
    expect(more).to.deep.equal([])
    expect(first).to.match(/^services\.yaml:1: service `odd`: .*did you mean `hospital\.example`\?$/)
  })
})
