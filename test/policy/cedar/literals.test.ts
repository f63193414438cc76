import { expect } from 'chai'
import { formatEntityUid } from '../../../src/base/model/entity-uid.ts'
import { createCedar } from '../../../src/policy/cedar/cedar.ts'
import { type Entities, entitiesFile } from '../../../src/policy/cedar/entities.ts'
import { createPlacesInEntities, literalsOf, subjectsOf } from '../../../src/policy/cedar/literals.ts'
import { parsePolicies } from '../../../src/policy/cedar/policies.ts'

const none: Entities = new Map()

function literals(text: string): ReturnType<typeof literalsOf> {
  return literalsOf(parsePolicies(createCedar(), new Map([['a.cedar', text]])).policies, none, '[]')
}

describe('policy/cedar/literals', () => {
  it('finds what a policy names in its scope and in its conditions, each once', () => {
    const text = `permit (principal in Group::"h/a", action == Lab::Action::"look", resource is Room in Service::"s")
when { [principal].contains(User::"h/b") && principal in [Group::"h/a", Group::"h/c"] };`
    expect(literals(text).map(({ uid }) => formatEntityUid(uid))).to.have.members([
      'Group::"h/a"',
      'Lab::Action::"look"',
      'Service::"s"',
      'User::"h/b"',
      'Group::"h/c"',
    ])
  })

  const places = [
    ['on its own line', 'permit (\n  principal in Group::"h/a", action, resource);', { line: 2, column: 16 }],
    [
      'behind another policy',
      'permit (principal, action, resource);\n\npermit (\nprincipal in Group::"h/a", action, resource);',
      { line: 4, column: 14 },
    ],
    // Whether another policy stands before it on its line is not known here.
    ['on the first line', 'permit (principal in Group::"h/a", action, resource);', { line: 1 }],
    [
      'in another spelling',
      'permit (principal, action, resource)\nwhen { principal in Group::"h\\u{2f}a" };',
      { line: 1 },
    ],
  ] as const
  for (const [name, text, want] of places) {
    it(`finds the place of a name ${name}`, () => {
      const [found] = literals(text)
      expect(found?.place()).to.deep.equal({ file: 'a.cedar', ...want })
    })
  }

  it('takes users and groups for subjects, and no types of other namespaces', () => {
    const text = `permit (principal, action, resource)
unless { [User::"h/a", User::"h/a"].isEmpty() || [Group::"h/a"].isEmpty() || [Lab::User::"x"].isEmpty() || [AgentGroup::"x"].isEmpty() };
forbid (principal in Group::"h/a", action, resource);`
    const found = subjectsOf(literals(text)).map(({ uid, place }) => [formatEntityUid(uid), place.line])
    expect(found).to.have.deep.members([
      ['User::"h/a"', 2],
      ['Group::"h/a"', 2],
    ])
  })

  it('finds the first line of an id in entities.json', () => {
    const placeOf = createPlacesInEntities('[\n"b",\n"a\\"",\n"\\n", "a", "b"]')
    const lines = ['a', 'b', 'a"', '\n', 'c'].map((id) => placeOf({ type: 'T', id }))
    expect(lines).to.deep.equal([
      ...[4, 2, 3, 4].map((line) => ({ file: entitiesFile, line })),
      { file: entitiesFile },
    ])
  })
})
