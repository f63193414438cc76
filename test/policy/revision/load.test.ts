import { expect } from 'chai'
import { judgeSituation } from '../../../src/authoring/situation.ts'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { parseSpiffeId } from '../../../src/base/model/spiffe-id.ts'
import { connectionRequest } from '../../../src/policy/catalog/target.ts'
import { loadRevision } from '../../../src/policy/revision/load.ts'
import { problemsOf } from '../../support/forge.ts'
import { mustLoad, policyFiles, servicesYaml, workload } from '../../support/policy-files.ts'
import { itRefuses, type RefusedRepository } from '../../support/refused-repository.ts'

const ledger = { 'services.yaml': servicesYaml({ routes: undefined, tcp: true, chainless: [workload('a')] }) }
const ownConnect = {
  'schema.cedarschema':
    'action "connect" appliesTo {principal: [Agent], resource: [Service], context: RequestContext};\n',
}
const connects = (type: string): string =>
  `permit (principal == ${type}::"${workload('a')}", action == Action::"connect", resource == Service::"records");`

const refused: readonly RefusedRepository[] = [
  {
    name: 'a repository without services.yaml',
    files: { 'services.yaml': undefined },
    at: 'services.yaml',
    mentions: /missing/,
  },
  {
    name: 'a repository without policies',
    files: { 'team/a.cedar': undefined },
    at: '.',
    mentions: /at least one policy/,
  },
  {
    name: 'a policy that reads an unknown attribute',
    files: {
      'team/a.cedar':
        'permit (principal, action, resource in Service::"records")\nwhen { context.rle == "caller" };',
    },
    at: 'team/a.cedar:2',
    mentions: /rle/,
  },
  {
    name: 'a policy that reads a parameter no route has',
    files: {
      'team/a.cedar':
        'permit (principal, action, resource in Service::"records") when { context.params.ward == "x" };',
    },
    at: 'team/a.cedar:1',
    mentions: /ward|impossible/,
  },
  {
    name: 'a schema that does not parse',
    files: { 'schema.cedarschema': 'entity Patient in\n [Service' },
    at: 'schema.cedarschema',
    mentions: /./,
  },
  {
    name: 'a `connect` where no service takes connections',
    files: { 'team/a.cedar': connects('Autonomous') },
    at: 'team/a.cedar:1',
    mentions: /connect/,
  },
  {
    name: 'a `connect` of its own beside that of a service that takes connections',
    files: { ...ledger, ...ownConnect },
    at: 'schema.cedarschema',
    mentions: /connect/,
  },
  {
    name: 'a schema that declares one of our own types',
    files: { 'schema.cedarschema': 'entity Agent;' },
    at: 'schema.cedarschema',
    mentions: /Agent/,
  },
]

describe('policy/revision/load', () => {
  it('loads a repository whole', () => {
    const revision = mustLoad(policyFiles())
    expect(revision.policies.map(({ id, line }) => ({ id, line }))).to.deep.equal([
      { id: 'team/a.cedar#1', line: 1 },
    ])
    expect(revision.isReady()).to.equal(true)
  })

  it('gives a service that takes connections its action, and leaves `connect` to others where none does', () => {
    expect(
      mustLoad(policyFiles({ ...ledger, 'team/a.cedar': connects('Autonomous') })).policies,
    ).to.have.length(1)
    const routes = [{ match: 'GET /live', action: 'connect', stream: true }]
    const own = {
      'services.yaml': servicesYaml({ routes }),
      ...ownConnect,
      'team/a.cedar': connects('Agent'),
    }
    expect(mustLoad(policyFiles(own)).policies).to.have.length(1)
  })

  it('permits a connection by no permit for reading or writing', () => {
    const callers = workload('a')
    const cedar = ['read', 'write'].map(
      (group) => `permit (principal == Autonomous::"${callers}", action in Action::"${group}", resource);`,
    )
    const revision = mustLoad(
      policyFiles({ ...ledger, 'team/a.cedar': `@blanket("test") ${cedar.join('\n@blanket("test") ')}` }),
    )
    const caller = parseSpiffeId(callers)
    if (isInvalid(caller)) throw new TypeError(caller.reason)
    const alone = { caller, subject: undefined, actors: [], scopes: [], isRecovered: false }
    const { decision } = judgeSituation({ ...alone, service: 'records', ...connectionRequest }, revision)
    expect(decision).to.include({ kind: 'deny', code: 'policy_denied' })
  })

  for (const row of refused) itRefuses(row)

  it('reports the problems of every file at once', () => {
    const problems = loadRevision(
      policyFiles({
        'team/a.cedar': 'permit (',
        'team/b.cedar': 'forbid )',
        'services.yaml': servicesYaml({ name: 'X' }),
      }),
    )
    expect(new Set(problemsOf(problems).map(({ file }) => file))).to.deep.equal(
      new Set(['services.yaml', 'team/a.cedar', 'team/b.cedar']),
    )
  })

  it('keeps the order and lines of more than ten policies in a file', () => {
    const text = Array.from(
      { length: 12 },
      () => 'permit (principal, action, resource in Service::"records");\n',
    ).join('')
    const revision = mustLoad(policyFiles({ 'team/a.cedar': text }))
    expect(revision.policies.map(({ id, line }) => `${id}:${line}`)).to.deep.equal(
      Array.from({ length: 12 }, (_, index) => `team/a.cedar#${index + 1}:${index + 1}`),
    )
  })

  it('takes the unconstrained for what it is once its author says why', () => {
    const text =
      '@blanket("staff may ask anything") permit (principal is User, action, resource) when { context.role == "subject" };'
    expect(mustLoad(policyFiles({ 'team/a.cedar': text })).policies).to.have.length(1)
  })
})
