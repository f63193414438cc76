import { expect } from 'chai'
import { formatProblem } from '../../../src/base/document/problem.ts'
import { loadRevision } from '../../../src/policy/revision/load.ts'
import { problemsOf } from '../../support/forge.ts'
import { policyFiles } from '../../support/policy-files.ts'
import { itRefuses } from '../../support/refused-repository.ts'

const agentA = 'spiffe://hospital.example/ns/billing/sa/agent-a'

/** Ids that no request can ever prove, by their type. */
const malformed: Readonly<Record<string, readonly string[]>> = {
  Agent: [
    '',
    'agent-d',
    'billing/agent-d',
    'spiffe://hospital.example',
    'spiffe://hospital.example/',
    'spiffe://Hospital.example/ns/billing/sa/agent-a',
    'SPIFFE://hospital.example/ns/billing/sa/agent-a',
    'https://hospital.example/ns/billing/sa/agent-a',
    'spiffe://hospital.example/ns/billing/sa/*',
    'spiffe://hospital.example//ns/billing',
    'spiffe://hospital.example/ns/../sa/agent-a',
    `${agentA}/`,
    `${agentA} `,
    ` ${agentA}`,
    `${agentA}\n`,
    `${agentA}\u00a0`,
    `${agentA}\u200b`,
    'hospital.example/ns/billing/sa/agent-a',
  ],
  AgentGroup: [
    '',
    ' ',
    'billing-agents ',
    '\tbilling-agents',
    'billing\u0000agents',
    '\u200bbilling',
    '\u202eagents',
  ],
  Autonomous: ['nightly-report', 'spiffe://hospital.example', `${agentA} `],
  Group: [
    '',
    'interns',
    '/interns',
    'hospital/',
    'hospital/ interns',
    'hospital/interns ',
    ' hospital/interns',
    'hospital /interns',
    'Hospital/interns',
    'https://idp.hospital.example/interns',
    'hospital/in\nterns',
    'hospital/interns\ufeff',
    'hos_pital/interns',
  ],
  Namespace: [
    '',
    'billing',
    'spiffe://hospital.example/ns/billing',
    'hospital.example/ns/billing',
    'hospital.example/billing/',
    'hospital.example/',
    '/billing',
    'Hospital.example/billing',
    'hospital.example/billing ',
    'hospital.example/bil ling',
    'hospital.example/*',
    'hospital.example/..',
  ],
  Service: [
    '',
    'Insurance',
    'insurance ',
    ' insurance',
    'insurance:8080',
    'in surance',
    'insurance.',
    'https://insurance',
  ],
  Tool: ['', ' search', 'search\u0007'],
  TrustDomain: [
    '',
    'spiffe://hospital.example',
    'hospital.example/',
    'Hospital.example',
    'hospital.example ',
    '*',
  ],
  User: [
    '',
    'clerk',
    'hospital/',
    '/clerk',
    'hospital/clerk ',
    'hospital/\tclerk',
    'clerk@hospital.example',
    'Hospital/clerk',
  ],
}

const wellFormed: Readonly<Record<string, readonly string[]>> = {
  Agent: [agentA, 'spiffe://hospital.example/robot', 'spiffe://other.example/ns/a/sa/b'],
  AgentGroup: ['billing-agents', 'Billing agents', '請求', 'a/b'],
  Autonomous: ['spiffe://hospital.example/ns/billing/sa/nightly-report'],
  // Keycloak writes groups as paths, Entra as UUIDs.
  Group: [
    'hospital/interns',
    'hospital//staff/interns',
    'h-2/Ward 7',
    'entra/11111111-2222-3333-4444-555555555555',
  ],
  Namespace: ['hospital.example/billing'],
  Service: ['insurance', 'price-list.v2'],
  TrustDomain: ['hospital.example'],
  User: [
    'hospital/clerk',
    'hospital/clerk@hospital.example',
    'hospital/f:realm:clerk',
    'hospital/Ōsaka Tarō',
  ],
}

/** Cedar's string; its escapes are not JSON's. */
const cedarText = (id: string) =>
  `"${id.replace(/["\\]|[^\x20-\x7e]/gu, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`)}"`

/** A policy that names an entity in its condition, which takes any type. */
const naming = (type: string, id: string) => ({
  'team/a.cedar': `\npermit (principal, action, resource in Service::"records")\nunless { [${type}::${cedarText(id)}].isEmpty() };\n`,
})
const entity = (json: unknown) => ({ 'entities.json': JSON.stringify([json], undefined, 1) })
const uid = (type: string, id: string) => ({ type, id })
const described =
  'entity Patient in [Service] {doctor?: Agent, team?: Set<AgentGroup>, contact?: {type: String, id: String}, more?: {by?: User}} tags Group;\naction "read-it" appliesTo {principal: [Agent, User, Autonomous], resource: [Patient, Service], context: RequestContext};\n'
const patient = (json: object) => ({
  'schema.cedarschema': described,
  ...entity({ uid: uid('Patient', '42'), attrs: {}, parents: [], ...json }),
})

describe('policy/cedar/literal-forms', () => {
  for (const [type, ids] of Object.entries(malformed)) {
    for (const id of ids) {
      itRefuses({
        name: `${type}::${JSON.stringify(id)}, which can never exist`,
        files: naming(type, id),
        at: 'team/a.cedar',
        mentions: /can never exist: expected/,
      })
    }
  }

  for (const [type, ids] of Object.entries(wellFormed)) {
    for (const id of ids) {
      it(`takes ${type}::${JSON.stringify(id)}`, () => {
        expect(loadRevision(policyFiles(naming(type, id)))).to.have.property('policies')
      })
    }
  }

  const places = [
    ['principal ==', 'permit (principal == Agent::"agent-d", action, resource in Service::"records");'],
    ['principal in', 'permit (principal in Group::"interns", action, resource in Service::"records");'],
    [
      'principal is … in',
      'permit (principal is User in Group::"interns", action, resource in Service::"records");',
    ],
    ['resource in', '@blanket("x") permit (principal is User, action, resource in Service::"Records");'],
    [
      'when',
      'permit (principal, action, resource in Service::"records") when { principal in Namespace::"billing" };',
    ],
    [
      'unless',
      'permit (principal, action, resource in Service::"records") unless { principal in [Group::"hospital/a", Group::"a"] };',
    ],
    [
      'a forbid',
      'permit (principal, action, resource in Service::"records");\nforbid (principal in Group::"interns", action, resource);',
    ],
    [
      'a nested expression',
      'permit (principal, action, resource in Service::"records") when { if context has delegatee then context.delegatee == Agent::"a" else false };',
    ],
  ] as const
  for (const [name, text] of places) {
    itRefuses({
      name: `what can never exist in ${name}`,
      files: { 'team/a.cedar': text },
      at: text.includes('\n') ? 'team/a.cedar:2' : 'team/a.cedar:1',
      mentions: /can never exist/,
    })
  }

  const entities: readonly { readonly name: string; readonly files: Readonly<Record<string, string>> }[] = [
    { name: 'an entity', files: entity({ uid: uid('Agent', 'agent-d'), parents: [uid('AgentGroup', 'a')] }) },
    { name: 'a parent', files: entity({ uid: uid('Agent', agentA), parents: [uid('AgentGroup', 'a ')] }) },
    { name: 'an attribute', files: patient({ attrs: { doctor: { __entity: uid('Agent', 'agent-d') } } }) },
    { name: 'an attribute without escape', files: patient({ attrs: { doctor: uid('Agent', 'agent-d') } }) },
    {
      name: 'a member of a set',
      files: patient({ attrs: { team: [uid('AgentGroup', 'a'), uid('AgentGroup', ' ')] } }),
    },
    { name: 'a nested attribute', files: patient({ attrs: { more: { by: uid('User', 'clerk') } } }) },
    { name: 'a tag', files: patient({ tags: { ward: { __entity: uid('Group', 'ward-7') } } }) },
  ]
  for (const { name, files } of entities) {
    itRefuses({
      name: `what can never exist as ${name}`,
      files,
      at: 'entities.json',
      mentions: /can never exist/,
    })
  }

  it('says on which line, in which policy, and what is expected', () => {
    const policies =
      '@id("x")\npermit (\n  principal in Group::"interns",\n  action,\n  resource in Service::"records"\n);\n'
    const problems = loadRevision(policyFiles({ 'team/a.cedar': policies }))
    expect(problemsOf(problems).map(formatProblem)).to.deep.equal([
      'team/a.cedar:3:16: policy `team/a.cedar#x`: Group::"interns" can never exist: expected `<name>/<group>`, such as `hospital/clinicians`, where `<name>` is the name of the identity provider in `users` of waywarden.yaml',
    ])
  })

  it('names each of them, once for each policy', () => {
    const twice =
      'permit (principal in Group::"a", action, resource in Service::"records") when { principal in [Group::"a", Group::"b"] };'
    const problems = loadRevision(policyFiles({ 'team/a.cedar': `${twice}\n${twice}` }))
    expect(problemsOf(problems).map(({ line }) => line)).to.deep.equal([1, 1, 2, 2])
  })

  const strangers: readonly { readonly name: string; readonly files: Readonly<Record<string, string>> }[] = [
    {
      name: 'a text that is compared',
      files: {
        'team/a.cedar':
          '@why("Group::\\"interns\\"") permit (principal, action, resource in Service::"records") when { context.http.path == "Group::interns" && context.role != "agent-d" };',
      },
    },
    { name: "an entity of the operator's own types", files: naming('Patient', ' 42\n') },
    { name: 'an action', files: naming('Action', 'read-it') },
    {
      name: 'a record of two texts',
      files: patient({ attrs: { contact: { type: 'Agent', id: 'agent-d' } } }),
    },
    {
      name: 'annotations that look like a name',
      files: {
        'team/a.cedar':
          '@type("Group") @id("interns") permit (principal, action, resource in Service::"records");',
      },
    },
  ]
  for (const { name, files } of strangers) {
    it(`asks no form of ${name}`, () => {
      const loaded = loadRevision(policyFiles(files))
      expect(problemsOf(loaded)).to.deep.equal([])
    })
  }

  it('asks none of a revision that has served: what it decided must be judged again', () => {
    const files = policyFiles(naming('Group', 'interns'))
    expect(loadRevision(files, { hasServed: true })).to.have.property('policies')
  })
})
