import { itRefuses, type RefusedRepository } from '../../support/refused-repository.ts'

const refused: readonly RefusedRepository[] = [
  {
    name: 'an entity of a type that only requests prove',
    files: { 'entities.json': '[{"uid":{"type":"Service","id":"x"},"attrs":{},"parents":[]}]' },
    at: 'entities.json',
    mentions: /proven facts/,
  },
  {
    name: 'a user, whose groups only a token proves',
    files: {
      'entities.json':
        '[{"uid":{"type":"User","id":"hospital/clerk"},"parents":[{"type":"Group","id":"hospital/clinicians"}]}]',
    },
    at: 'entities.json',
    mentions: /proven facts/,
  },
  {
    name: 'an entity that stands twice',
    files: {
      'entities.json': '[{"uid":{"type":"AgentGroup","id":"x"}},{"uid":{"type":"AgentGroup","id":"x"}}]',
    },
    at: 'entities.json',
    mentions: /twice/,
  },
  {
    name: 'entities in a circle',
    files: {
      'entities.json':
        '[{"uid":{"type":"AgentGroup","id":"x"},"parents":[{"type":"AgentGroup","id":"y"}]},{"uid":{"type":"AgentGroup","id":"y"},"parents":[{"type":"AgentGroup","id":"x"}]}]',
    },
    at: 'entities.json',
    mentions: /circle/,
  },
  {
    name: 'an entity that does not fit the schema',
    files: { 'entities.json': '[{"uid":{"type":"Agent","id":"x"},"attrs":{"color":"red"}}]' },
    at: 'entities.json',
    mentions: /color/,
  },
  {
    name: 'entities that are no JSON',
    files: { 'entities.json': '[{]' },
    at: 'entities.json',
    mentions: /JSON/,
  },
]

describe('policy/cedar/entities', () => {
  for (const row of refused) itRefuses(row)
})
