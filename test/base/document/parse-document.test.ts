import { expect } from 'chai'
import * as v from 'valibot'
import { parseDocument } from '../../../src/base/document/parse-document.ts'
import type { SchemaNode } from '../../../src/base/document/schema.ts'
import {
  about,
  choice,
  duration,
  flag,
  integer,
  list,
  recordOf,
  someOf,
  text,
} from '../../../src/base/document/values.ts'

const service = v.strictObject({
  name: about(text, 'the name of the service'),
  hopLifetime: v.optional(duration('1s', '1h', '30s')),
  entry: v.optional(flag),
  depth: v.optional(integer(1, 8)),
  mode: v.optional(choice('fast', 'slow')),
  scopes: v.optional(list(text)),
  routes: v.optional(someOf(v.strictObject({ match: text, action: text }), 'at least one route')),
  chain: v.optional(v.union([v.literal('none'), v.strictObject({ subject: text })])),
})
const schema: v.GenericSchema<unknown, unknown> & SchemaNode = v.strictObject({
  services: about(list(service), 'the services'),
  agents: v.optional(recordOf(text)),
})

/** The keys of the second service besides its name, and the problems to report. */
const cases: readonly { readonly name: string; readonly says: string; readonly want: readonly RegExp[] }[] = [
  {
    name: 'a misspelt key as one problem',
    says: 'nme: b',
    want: [/: `nme`: unknown key; did you mean `name`\?$/],
  },
  {
    name: 'an unknown key with those that are known',
    says: 'name: b, colour: red',
    want: [/`colour`: unknown key; known here: name, hopLifetime/],
  },
  {
    name: 'a missing key with what it is for',
    says: 'entry: true',
    want: [/^service 2: `name`: missing; add it: the name of the service$/],
  },
  {
    name: 'a number that should be text, as it is written',
    says: 'name: 0x1F',
    want: [/found `0x1F`.*quote it: `'0x1F'`/],
  },
  { name: 'true that should be text', says: 'name: true', want: [/found `true`.*quote it: `'true'`/] },
  {
    name: 'text that should be true',
    says: "name: b, entry: 'yes'",
    want: [/^service `b`: `entry`: expected true or false, found `yes`; write `true`$/],
  },
  {
    name: 'a duration without a unit, with an example that fits',
    says: 'name: b, hopLifetime: 30',
    want: [/such as `30s`, found `30`$/],
  },
  {
    name: 'a duration out of bounds',
    says: 'name: b, hopLifetime: 2h',
    want: [/from 1s to 1h, found `2h`$/],
  },
  {
    name: 'a number in quotes',
    says: "name: b, depth: '4'",
    want: [/from 1 to 8, found `4`; take the quotes away$/],
  },
  { name: 'a number out of bounds', says: 'name: b, depth: 9', want: [/from 1 to 8, found `9`$/] },
  {
    name: 'a word that is like none',
    says: 'name: b, mode: medium',
    want: [/expected `fast` or `slow`, found `medium`$/],
  },
  { name: 'a word that is like one', says: 'name: b, mode: fst', want: [/did you mean `fast`\?$/] },
  {
    name: 'one value where a list belongs',
    says: 'name: b, scopes: read',
    want: [/expected a list, found `read`; write `\[read\]`$/],
  },
  {
    name: 'an empty list that must not be empty',
    says: 'name: b, routes: []',
    want: [/expected at least one route, found an empty list$/],
  },
  {
    name: 'a part of a part, by both names',
    says: 'name: b, routes: [{match: GET /x}]',
    want: [/^service `b`, route `GET \/x`: `action`: missing/],
  },
  {
    name: 'a part of a union',
    says: 'name: b, chain: {subjet: x}',
    want: [/^service `b`: `chain.subjet`: unknown key; did you mean `subject`\?$/],
  },
  {
    name: 'another word than a union has',
    says: 'name: b, chain: nobody',
    want: [/`chain`: expected `none`, found `nobody`$/],
  },
  {
    name: 'nothing where keys belong',
    says: 'name: b, routes: [null]',
    want: [/route 1: expected keys and values, found nothing$/],
  },
  { name: 'everything at once', says: 'name: 7, entry: 8, depth: x', want: [/`name`/, /`entry`/, /`depth`/] },
]

describe('base/document/parse-document', () => {
  for (const { name, says, want } of cases) {
    it(`reports ${name}`, () => {
      const parsed = parseDocument(`services:\n  - name: a\n  - {${says}}\n`, schema)
      if (parsed.kind === 'document') throw new TypeError('it was taken')
      expect(parsed.problems.map(({ line }) => line)).to.deep.equal(want.map(() => 3))
      for (const [index, pattern] of want.entries()) expect(parsed.problems[index]?.message).to.match(pattern)
    })
  }

  it('takes an empty file for one without keys', () => {
    const parsed = parseDocument('# nothing yet\n', schema)
    expect(parsed.kind === 'problems' && parsed.problems.map(({ message }) => message)).to.deep.equal([
      '`services`: missing; add it: the services',
    ])
  })

  it('reports a syntax error alone, with its line', () => {
    const parsed = parseDocument('services: [{nme: 7}]\n  x: {y\n', schema)
    expect(parsed.kind === 'problems' && parsed.problems).to.have.length(1)
    expect(parsed).to.have.nested.property('problems[0].excerpt').that.includes('^')
  })

  it('returns what a schema takes, with its lines', () => {
    const parsed = parseDocument('services:\n  - name: a\n    hopLifetime: 30s\n', schema)
    if (parsed.kind === 'problems') throw new TypeError(parsed.problems[0]?.message)
    expect(parsed.value).to.deep.equal({ services: [{ name: 'a', hopLifetime: 30_000 }] })
    expect(parsed.lineOf(['services', 0, 'hopLifetime'])).to.equal(3)
  })
})
