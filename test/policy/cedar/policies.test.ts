import { expect } from 'chai'
import { createCedar } from '../../../src/policy/cedar/cedar.ts'
import { parsePolicies } from '../../../src/policy/cedar/policies.ts'
import { itRefuses, type RefusedRepository } from '../../support/refused-repository.ts'

const refused: readonly RefusedRepository[] = [
  {
    name: 'a policy that does not parse',
    files: { 'team/a.cedar': '\npermit (principal action, resource);' },
    at: 'team/a.cedar:2',
    mentions: /unexpected token/,
  },
  {
    name: 'two policies of one id',
    files: {
      'team/a.cedar':
        '@id("x") permit (principal, action, resource in Service::"records");\n@id("x") permit (principal, action, resource in Service::"records");',
    },
    at: 'team/a.cedar:2',
    mentions: /`team\/a.cedar#x`/,
  },
  {
    name: 'a template',
    files: { 'team/a.cedar': 'permit (principal == ?principal, action, resource);' },
    at: 'team/a.cedar:1',
    mentions: /template/,
  },
]

const scope = '(principal, action, resource)'
const placed: readonly { readonly name: string; readonly text: string; readonly lines: readonly number[] }[] =
  [
    { name: 'twins', text: `permit ${scope};\npermit ${scope};`, lines: [1, 2] },
    {
      name: 'more than ten policies, which Cedar sorts as text',
      text: Array.from({ length: 12 }, (_, index) => `permit ${scope} when { ${index} == 1 };`).join('\n'),
      lines: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    },
    {
      name: 'a twin without annotations, before and behind',
      text: `permit ${scope};\n@id("a") permit ${scope};\npermit ${scope};`,
      lines: [1, 2, 3],
    },
    { name: 'a twin in a comment', text: `// permit ${scope};\npermit ${scope};`, lines: [2] },
    { name: 'a twin in a string', text: `@why("permit ${scope};")\npermit ${scope};`, lines: [1] },
  ]

describe('policy/cedar/policies', () => {
  for (const row of refused) itRefuses(row)

  for (const { name, text, lines } of placed) {
    it(`finds the line of each policy: ${name}`, () => {
      const { policies } = parsePolicies(createCedar(), new Map([['a.cedar', text]]))
      expect(policies.map(({ line }) => line)).to.deep.equal(lines)
      for (const policy of policies)
        expect(text.split('\n')[policy.line - 1]).to.include(policy.text.split('\n')[0])
    })
  }
})
