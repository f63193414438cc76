import { itRefuses, type RefusedRepository } from '../support/refused-repository.ts'

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

describe('revision/policies', () => {
  for (const row of refused) itRefuses(row)
})
