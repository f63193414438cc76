import { itRefuses, type RefusedRepository } from '../../support/refused-repository.ts'

const refused: readonly RefusedRepository[] = [
  {
    name: 'brackets nested too deep for the engine',
    files: {
      'team/a.cedar': `permit (principal, action, resource in Service::"records") when { ${'('.repeat(500)}true${')'.repeat(500)} };`,
    },
    at: 'team/a.cedar:1',
    mentions: /nested/,
  },
  {
    name: 'a policy of too many operators for the engine',
    files: {
      'team/a.cedar': `permit (principal, action, resource in Service::"records") when { ${'1+'.repeat(500)}1 == 1 };`,
    },
    at: 'team/a.cedar:1',
    mentions: /operators/,
  },
]

describe('policy/cedar/lexical-limits', () => {
  for (const row of refused) itRefuses(row)
})
