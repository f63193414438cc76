import { expect } from 'chai'
import { type CorpusAnswers, type CorpusSet, runCorpus } from './cedar-corpus.ts'

const uid = (type: string, id: string) => ({ type, id })
const request = {
  name: 'one',
  principal: uid('User', 'u'),
  action: uid('Action', 'view'),
  resource: uid('Photo', 'p'),
  context: {},
  entities: [] as readonly unknown[],
}
const empty: CorpusSet = {
  policies: '',
  schema: undefined,
  isNamedById: false,
  shouldValidate: undefined,
  requests: [request],
}

function run(set: Partial<CorpusSet>): CorpusAnswers {
  const ran = runCorpus({ ...empty, ...set })
  if (typeof ran === 'string') throw new TypeError(ran)
  return ran
}

describe('cedar/cedar-corpus', () => {
  const sliced: readonly {
    readonly name: string
    readonly policies: string
    readonly entities: readonly unknown[]
  }[] = [
    {
      name: 'through groups of actions that only the entities know',
      policies: 'permit (principal, action in Action::"all", resource);',
      entities: [
        { uid: uid('Action', 'view'), attrs: {}, parents: [uid('Action', 'read')] },
        { uid: uid('Action', 'read'), attrs: {}, parents: [uid('Action', 'all')] },
      ],
    },
    {
      name: 'through families of resources, in either spelling of a name',
      policies: 'permit (principal, action, resource in Album::"a");',
      entities: [
        { uid: { __entity: uid('Photo', 'p') }, attrs: {}, parents: [{ __entity: uid('Album', 'a') }] },
      ],
    },
    {
      name: 'through a type that is called Service, as one of ours is',
      policies: 'permit (principal, action, resource in Service::"s");',
      entities: [{ uid: uid('Photo', 'p'), attrs: {}, parents: [uid('Service', 's')] }],
    },
    {
      name: 'through what attributes refer to',
      policies: 'permit (principal, action, resource) when { resource.owner.friends.contains(principal) };',
      entities: [
        { uid: uid('Photo', 'p'), attrs: { owner: { __entity: uid('User', 'o') } }, parents: [] },
        { uid: uid('User', 'o'), attrs: { friends: [{ __entity: uid('User', 'u') }] }, parents: [] },
      ],
    },
  ]
  for (const { name, policies, entities } of sliced) {
    it(`leaves out nothing that decides: ${name}`, () => {
      const { answers } = run({ policies, requests: [{ ...request, entities }] })
      expect(answers[0]).to.deep.include({ decision: 'allow', reasons: ['policy0'], fault: undefined })
      expect(run({ policies }).answers[0]?.decision).to.equal('deny')
    })
  }

  it('keeps of the context what is read', () => {
    const policies = 'permit (principal, action, resource) when { context.from.those.contains(principal) };'
    const context = { from: { those: [{ __entity: request.principal }] }, other: 1 }
    expect(run({ policies, requests: [{ ...request, context }] }).answers[0]?.decision).to.equal('allow')
  })

  it('takes a schema as text or as JSON, and says whether the policies fit', () => {
    const text = 'entity User; entity Photo; action "view" appliesTo {principal: [User], resource: [Photo]};'
    const json = JSON.stringify({
      '': {
        entityTypes: { User: {}, Photo: {} },
        actions: { view: { appliesTo: { principalTypes: ['User'], resourceTypes: ['Photo'] } } },
      },
    })
    for (const schema of [text, json]) {
      expect(run({ schema, policies: 'permit (principal, action, resource);' }).isValid).to.equal(true)
      expect(
        run({ schema, policies: 'permit (principal, action, resource) when { principal.age > 7 };' }).isValid,
      ).to.equal(false)
    }
    expect(run({}).isValid).to.equal(undefined)
  })

  it('numbers policies in the order in which they stand, or names them by @id', () => {
    const policies = '@id("z") permit (principal, action, resource);\npermit (principal, action, resource);'
    expect(run({ policies }).answers[0]?.reasons).to.deep.equal(['policy0', 'policy1'])
    expect(run({ policies, isNamedById: true }).answers[0]?.reasons).to.deep.equal(['policy1', 'z'])
  })

  it('denies with a fault what the engine does not take', () => {
    const entities = [{ uid: uid('Photo', 'p'), attrs: { n: 1.5 }, parents: [] }]
    const [answer] = run({
      policies: 'permit (principal, action, resource) unless { resource has other };',
      requests: [{ ...request, entities }],
    }).answers
    expect(answer?.decision).to.equal('deny')
    expect(answer?.fault).to.be.a('string')
  })
})
