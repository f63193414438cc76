import { expect } from 'chai'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { type CedarTestOptions, type CedarTestResult, runCedarTests } from './cedar-tests.ts'

const policies = `
@id("view") permit (principal in Group::"friends", action == Action::"view", resource);
forbid (principal, action, resource) when { resource.secret };
`
const schema =
  'entity Group; entity User in [Group]; entity Photo {secret?: Bool}; action "view" appliesTo {principal: [User], resource: [Photo]};'
const friends = { uid: { type: 'User', id: 'alice' }, attrs: {}, parents: [{ type: 'Group', id: 'friends' }] }
const photo = (attrs: object) => ({ uid: { type: 'Photo', id: 'p' }, attrs, parents: [] })
const request = { principal: 'User::"alice"', action: 'Action::"view"', resource: 'Photo::"p"', context: {} }
const uids = {
  principal: { type: 'User', id: 'alice' },
  action: { type: 'Action', id: 'view' },
  resource: { type: 'Photo', id: 'p' },
  context: {},
}
const files: Readonly<Record<string, string>> = {
  'a.cedar': policies,
  'plain.cedar': policies.replace('resource.secret', 'resource has secret && resource.secret'),
  'a.cedarschema': schema,
  'entities.json': JSON.stringify([friends, photo({ secret: false })]),
}
const options: CedarTestOptions = {
  policies,
  schema: undefined,
  hasCedarSemantics: false,
  read: (path) => files[path],
}

function run(tests: unknown, change: Partial<CedarTestOptions> = {}): readonly CedarTestResult[] {
  const results = runCedarTests(JSON.stringify(tests), { ...options, ...change })
  if (isInvalid(results)) throw new TypeError(results.reason)
  return results
}

describe('cedar/cedar-tests', () => {
  const open = {
    request,
    entities: [friends, photo({ secret: false })],
    decision: 'allow',
    reason: ['view'],
    num_errors: 0,
  }

  it('runs files of `cedar run-tests`, whose policies are named by @id', () => {
    const [first, second] = run([
      open,
      { ...open, name: 'closed', entities: [photo({ secret: true })], decision: 'deny', reason: ['policy1'] },
    ])
    expect(first).to.deep.equal({ name: 'test 1', differences: [], isStricter: false })
    expect(second).to.deep.equal({ name: 'closed', differences: [], isStricter: false })
  })

  it('takes entities from a file beside it', () => {
    expect(run([{ ...open, entities: 'entities.json' }])[0]?.differences).to.deep.equal([])
  })

  const wrong: readonly { readonly name: string; readonly change: object; readonly differs: RegExp }[] = [
    { name: 'a decision', change: { decision: 'deny' }, differs: /^decision/ },
    { name: 'a reason that is missing', change: { reason: ['other'] }, differs: /^reasons/ },
    { name: 'a count of errors', change: { num_errors: 1 }, differs: /^errors/ },
  ]
  for (const { name, change, differs } of wrong) {
    it(`finds ${name} that is not as expected`, () => {
      expect(run([{ ...open, ...change }])[0]?.differences.join()).to.match(differs)
    })
  }

  it('denies for a forbid that cannot be evaluated, and compares Cedar’s own answer when asked to', () => {
    const failing = { ...open, entities: [friends, photo({})], num_errors: 1 }
    const [strict] = run([failing])
    expect(strict?.isStricter).to.equal(true)
    expect(strict?.differences.join()).to.match(/^decision/)
    expect(run([failing], { hasCedarSemantics: true })[0]?.differences).to.deep.equal([])
  })

  const integration = {
    policies: 'plain.cedar',
    entities: 'entities.json',
    schema: 'a.cedarschema',
    shouldValidate: true,
    requests: [{ ...uids, description: 'alice', decision: 'allow', reason: ['policy0'], errors: [] }],
  }

  it('runs integration tests, whose policies are numbered, and validates first', () => {
    expect(run(integration)).to.deep.equal([
      { name: 'validation', differences: [], isStricter: false },
      { name: 'alice', differences: [], isStricter: false },
    ])
    const { requests, ...rest } = integration
    expect(run({ ...rest, queries: requests.map((one) => ({ ...one, decision: 'Allow' })) })).to.have.length(
      2,
    )
  })

  it('finds policies that validate though they should not', () => {
    expect(run({ ...integration, shouldValidate: false })[0]?.differences).to.have.length(1)
    expect(run({ ...integration, policies: 'a.cedar', shouldValidate: false })[0]?.differences).to.deep.equal(
      [],
    )
  })

  const refused: readonly {
    readonly name: string
    readonly text: string
    readonly change?: Partial<CedarTestOptions>
  }[] = [
    { name: 'what is no JSON', text: '{' },
    { name: 'what is neither format', text: '{}' },
    { name: 'a test without a decision', text: JSON.stringify([{ ...open, decision: undefined }]) },
    {
      name: 'a principal that is no entity',
      text: JSON.stringify([{ ...open, request: { ...request, principal: 'alice' } }]),
    },
    { name: 'run-tests without policies', text: JSON.stringify([open]), change: { policies: undefined } },
    { name: 'policies that do not parse', text: JSON.stringify([open]), change: { policies: 'permit' } },
    {
      name: 'a template',
      text: JSON.stringify([open]),
      change: { policies: 'permit (principal == ?principal, action, resource);' },
    },
    { name: 'files that are not there', text: JSON.stringify({ ...integration, entities: 'absent.json' }) },
  ]
  for (const { name, text, change } of refused) {
    it(`refuses ${name}`, () => {
      expect(runCedarTests(text, { ...options, ...change })).to.include({ kind: 'invalid' })
    })
  }
})
