import { expect } from 'chai'
import { isInvalid } from '../../../src/base/model/invalid.ts'
import { type JsonValue, parseStrictJson } from '../../../src/decision/jws/json.ts'
import { measureHeap } from '../../support/memory.ts'

describe('decision/jws/json', () => {
  const accepted: readonly { readonly text: string; readonly want: Readonly<Record<string, JsonValue>> }[] = [
    { text: '{}', want: {} },
    { text: ' { "a" : 1 , "b" : [ ] } ', want: { a: 1, b: [] } },
    {
      text: '{"a":{"b":[true,false,null,-7,0,"x"]}}',
      want: { a: new Map([['b', [true, false, null, -7, 0, 'x']]]) },
    },
    { text: '{"quote\\"":"\\\\","\\u00e9":"{[:,]}"}', want: { 'quote"': '\\', é: '{[:,]}' } },
    { text: '{"max":9007199254740991,"😀":"😀"}', want: { max: 9007199254740991, '😀': '😀' } },
    { text: '{"a":{"x":1},"b":{"x":1}}', want: { a: new Map([['x', 1]]), b: new Map([['x', 1]]) } },
  ]
  for (const { text, want } of accepted) {
    it(`reads ${text}`, () => {
      expect(parseStrictJson(text)).to.deep.equal(new Map(Object.entries(want)))
    })
  }

  const refused: readonly { readonly name: string; readonly text: string }[] = [
    { name: 'no text', text: '' },
    { name: 'a text that is no JSON', text: '{"a":1' },
    { name: 'a trailing comma', text: '{"a":1,}' },
    { name: 'something after the object', text: '{} {}' },
    { name: 'an array', text: '[]' },
    { name: 'a string', text: '"a"' },
    { name: 'null', text: 'null' },
    { name: 'a duplicate name', text: '{"a":1,"a":1}' },
    { name: 'a duplicate name under an escape', text: '{"a":1,"\\u0061":2}' },
    { name: 'a duplicate name deep within', text: '{"x":[{"a":1,"b":{},"a":[]}]}' },
    { name: '__proto__', text: '{"__proto__":{}}' },
    { name: 'constructor, escaped and deep within', text: '{"x":{"\\u0063onstructor":1}}' },
    { name: 'prototype', text: '{"prototype":1}' },
    { name: 'a fraction', text: '{"a":1.5}' },
    { name: 'an exponent', text: '{"a":1e3}' },
    { name: 'an integer that is not safe', text: '{"a":9007199254740992}' },
    { name: 'a lone surrogate', text: '{"a":"\\ud800"}' },
    { name: 'a lone surrogate in a name', text: '{"\\udc00":1}' },
    { name: 'more nesting than any chain has', text: `{"a":${'['.repeat(16)}${']'.repeat(16)}}` },
    { name: 'very deep nesting', text: `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}` },
  ]
  for (const { name, text } of refused) {
    it(`refuses ${name}`, () => {
      expect(isInvalid(parseStrictJson(text))).to.equal(true)
    })
  }

  const ofProvider: readonly { readonly text: string; readonly want: JsonValue }[] = [
    { text: '{"a":0.5}', want: 0.5 },
    { text: '{"a":1e3}', want: 1000 },
    { text: '{"a":18446744073709551616}', want: 2 ** 64 },
    { text: '{"a":-1e999}', want: Number.NEGATIVE_INFINITY },
    { text: '{"a":"\\ud800"}', want: '\ud800' },
    { text: '{"a":{"\\udc00":1}}', want: new Map([['\udc00', 1]]) },
    { text: '{"a":{"__proto__":1}}', want: new Map([['__proto__', 1]]) },
    {
      text: '{"a":{"constructor":{"prototype":1}}}',
      want: new Map([['constructor', new Map([['prototype', 1]])]]),
    },
  ]
  for (const { text, want } of ofProvider) {
    it(`reads ${text} of a provider, and not of ours`, () => {
      expect(parseStrictJson(text, 'provider')).to.deep.equal(new Map([['a', want]]))
      expect(isInvalid(parseStrictJson(text))).to.equal(true)
    })
  }

  const refusedOfAll = [
    '{"a":1,"a":1}',
    '{"x":[{"a":1,"b":{},"\\u0061":[]}]}',
    '[]',
    '{"a":01}',
    '{"a":.5}',
    '{"a":NaN}',
  ]
  for (const text of [...refusedOfAll, `{"a":${'['.repeat(64)}${']'.repeat(64)}}`]) {
    it(`refuses ${text.slice(0, 40)} of a provider, too`, () => {
      expect(isInvalid(parseStrictJson(text, 'provider'))).to.equal(true)
    })
  }

  it('reads 64 levels of a provider', () => {
    const text = `{"a":${'['.repeat(63)}${']'.repeat(63)}}`
    expect(isInvalid(parseStrictJson(text, 'provider'))).to.equal(false)
  })

  it('lets go of a document of which a text is kept', async () => {
    const documents = 1000
    const { bytes } = await measureHeap(() =>
      Array.from({ length: documents }, (_, index) => {
        const text = `{"id":"id number ${index} of them all","rest":"${'x'.repeat(4000)}"}`
        return textOf(parseStrictJson(text), 'id')
      }),
    )
    expect(bytes / documents).to.be.lessThan(1000)
  })
})

function textOf(parsed: ReturnType<typeof parseStrictJson>, name: string): JsonValue | undefined {
  return isInvalid(parsed) ? undefined : parsed.get(name)
}
