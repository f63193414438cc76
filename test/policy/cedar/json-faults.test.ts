import { expect } from 'chai'
import fc from 'fast-check'
import { findJsonFault } from '../../../src/policy/cedar/json-faults.ts'
import { loadRevision } from '../../../src/policy/revision/load.ts'
import { policyFiles } from '../../support/policy-files.ts'
import { itRefuses } from '../../support/refused-repository.ts'

const group = (id: string) => `{"type": "AgentGroup", "id": "${id}"}`
const twice = `[{"uid": ${group('a')}, "parents": [${group('b')}],\n"parents": []}]`

describe('policy/cedar/json-faults', () => {
  const faults: readonly (readonly [what: string, text: string, line: number])[] = [
    ['a member that stands twice', '{"a": 1,\n"a": 1}', 2],
    ['one deep within', '[{"a": {"b": [1, {"c": 1, "d": {},\n\n"c": 2}]}}]', 3],
    ['one that is escaped', '{"a": 1, "\\u0061": 2}', 1],
    ['one behind an object of the same name', '{"a": {"a": 1}, "b": [], "a": 2}', 1],
    ['one of no letters', '{"": 1, "": 2}', 1],
    ['`__proto__`', '{"__proto__": 1, "__proto__": 2}', 1],
    ['half of a letter', '["\n"]'.replace('\n', '\\ud800'), 1],
    ['half of a letter as a name', '{"\\udc00": 1}', 1],
  ]
  for (const [what, text, line] of faults) {
    it(`finds ${what}`, () => {
      expect(findJsonFault('x.json', text)).to.include({ file: 'x.json', line })
    })
  }

  const clear = [
    '',
    'no JSON',
    '{"a": 1, "a": 2',
    '[]',
    '{"a": {"a": {"a": 1}}}',
    '[{"a": 1}, {"a": 2}]',
    '{"a": "a", "b": ["a", "a", "b"]}',
    '{"a": "{\\"a\\": 1, \\"a\\": 2}"}',
    '{"a": "\\ud83d\\ude00", "b": "}"}',
    '{"a\\\\": 1, "a": 2}',
  ]
  for (const text of clear) {
    it(`finds nothing in ${JSON.stringify(text)}`, () => {
      expect(findJsonFault('x.json', text)).to.equal(undefined)
    })
  }

  it('finds nothing in what was written from values, whatever they are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        expect(findJsonFault('x.json', JSON.stringify(value, undefined, 1))).to.equal(undefined)
      }),
    )
  })

  it('takes a nesting of any depth', () => {
    expect(findJsonFault('x.json', `${'['.repeat(5000)}${']'.repeat(5000)}`)).to.equal(undefined)
  })

  itRefuses({
    name: 'entities.json in which the parents of a group stand twice',
    files: { 'entities.json': twice },
    at: 'entities.json:2',
    mentions: /`?"parents"`? stands twice/,
  })
  itRefuses({
    name: 'entities.json with an id that is half of a letter',
    files: { 'entities.json': `[{"uid": ${group('\\ud800')}, "parents": []}]` },
    at: 'entities.json:1',
    mentions: /well-formed/,
  })

  it('reads what has served as it was read', () => {
    expect(loadRevision(policyFiles({ 'entities.json': twice }), { hasServed: true })).to.have.property(
      'policies',
    )
  })
})
