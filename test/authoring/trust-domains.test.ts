import { expect } from 'chai'
import { findForeignNames } from '../../src/authoring/trust-domains.ts'
import { parseTrustDomain } from '../../src/base/model/spiffe-id.ts'
import { good } from '../support/forge.ts'
import { mustLoad, policyFiles, servicesYaml } from '../support/policy-files.ts'

const own = good(parseTrustDomain('hospital.example'))
const other = good(parseTrustDomain('cluster.local'))
const routes = [{ match: 'GET /patients/{patientId}', action: 'read-it', resource: 'Patient::{patientId}' }]
const policy = (scope: string, condition = '') =>
  `@id("x")\nforbid (principal ${scope}, action, resource)${condition === '' ? '' : ` when { ${condition} }`};\n`

const cases: readonly {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  readonly notices: readonly RegExp[]
}[] = [
  {
    name: 'names of the own trust domain',
    files: { 'a.cedar': policy('== Agent::"spiffe://hospital.example/ns/a/sa/b"') },
    notices: [],
  },
  {
    name: 'an agent in a scope',
    files: { 'a.cedar': policy('== Agent::"spiffe://hospitl.example/ns/a/sa/b"') },
    notices: [/^a\.cedar:1: policy `a\.cedar#x`.*`hospitl\.example`; did you mean `hospital\.example`\?$/],
  },
  {
    name: 'a namespace',
    files: { 'a.cedar': policy('in Namespace::"partner.example/ns"') },
    notices: [/`partner\.example`/],
  },
  {
    name: 'a trust domain',
    files: { 'a.cedar': policy('in TrustDomain::"partner.example"') },
    notices: [/`partner\.example`/],
  },
  {
    name: 'an agent in a condition',
    files: {
      'a.cedar': policy('is Agent', 'context.chain.actors.contains(Agent::"spiffe://partner.example/a")'),
    },
    notices: [/`partner\.example`/],
  },
  {
    name: 'a user and a group, which have no trust domain',
    files: { 'a.cedar': policy('in Group::"partner/partner.example"') },
    notices: [],
  },
  {
    name: 'two policies of one name',
    files: {
      'a.cedar': policy('in TrustDomain::"p.example"'),
      'b.cedar': policy('in TrustDomain::"p.example"'),
    },
    notices: [/^a\.cedar/, /^b\.cedar/],
  },
  {
    name: 'entities.json',
    files: {
      'entities.json':
        '[{"uid": {"type": "Agent", "id": "spiffe://partner.example/a"}, "parents": [{"type": "AgentGroup", "id": "g"}]}]',
    },
    notices: [/^entities\.json: .*`partner\.example`/],
  },
  {
    name: 'a caller without a chain',
    files: {
      'services.yaml': servicesYaml({ routes, chainless: ['spiffe://partner.example/ns/a/sa/b'] }),
      'team/a.cedar': policy(''),
    },
    notices: [/`chainless` of `records` never matches/],
  },
]

describe('authoring/trust-domains', () => {
  for (const { name, files, notices } of cases) {
    it(`finds ${notices.length} in ${name}`, () => {
      const found = findForeignNames(mustLoad(policyFiles(files)), own)
      expect(found.fatal).to.equal(undefined)
      expect(found.notices).to.have.length(notices.length)
      for (const [index, pattern] of notices.entries()) expect(found.notices[index]).to.match(pattern)
    })
  }

  it('says that nothing can be allowed where every waypoint is of another trust domain', () => {
    expect(findForeignNames(mustLoad(policyFiles()), other).fatal).to.match(
      /^nothing can be allowed: `chain\.trustDomain` is `cluster\.local`.*`hospital\.example`/,
    )
  })

  it('says nothing of a catalog without services', () => {
    const empty = mustLoad(policyFiles({ 'services.yaml': 'services: []', 'team/a.cedar': undefined }))
    expect(findForeignNames(empty, other)).to.deep.equal({ fatal: undefined, notices: [] })
  })

  it('names some of many, and how many more there are', () => {
    const many = Array.from({ length: 30 }, (_, index) =>
      policy(`in TrustDomain::"p${index}.example"`).replace('"x"', `"x${index}"`),
    )
    const { notices } = findForeignNames(mustLoad(policyFiles({ 'a.cedar': many.join('') })), own)
    expect(notices).to.have.length(11)
    expect(notices.at(-1)).to.equal('and 20 more of this kind')
  })
})
