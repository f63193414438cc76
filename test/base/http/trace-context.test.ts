import { expect } from 'chai'
import { traceContextOf, traceIdOf, traceStateOf } from '../../../src/base/http/trace-context.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const zeros = '0'.repeat(32)

describe('base/http/trace-context: traceparent', () => {
  const read: readonly { name: string; input: string; isSampled: boolean }[] = [
    { name: 'version 00', input: `00-${traceId}-${spanId}-01`, isSampled: true },
    { name: 'a later version with more fields', input: `01-${traceId}-${spanId}-01-what`, isSampled: true },
    { name: 'a trace that is not sampled', input: `00-${traceId}-${spanId}-00`, isSampled: false },
    { name: 'the sampled flag among others', input: `00-${traceId}-${spanId}-03`, isSampled: true },
    { name: 'other flags alone', input: `00-${traceId}-${spanId}-fe`, isSampled: false },
  ]
  for (const { name, input, isSampled } of read) {
    it(`reads ${name}`, () => {
      const headers = new Map([['traceparent', [input]]])
      expect(traceContextOf(headers)).to.deep.equal({ traceId, spanId, isSampled })
      expect(traceIdOf(headers)).to.equal(traceId)
    })
  }

  it('knows the trace that several values name, and no span', () => {
    const other = `01-${traceId}-b7ad6b7169203331-00-more`
    for (const values of [
      [`00-${traceId}-${spanId}-01`, other],
      [`00-${traceId}-${spanId}-01,${other}`],
      [`00-${traceId}-${spanId}-01 ,\t${other}`, other],
    ]) {
      const headers = new Map([['traceparent', values]])
      expect(traceIdOf(headers)).to.equal(traceId)
      expect(traceContextOf(headers)).to.equal(undefined)
    }
  })

  const refused: readonly { name: string; input: readonly string[] | undefined }[] = [
    { name: 'no header', input: undefined },
    { name: 'an empty header', input: [''] },
    { name: 'a repeated header', input: [`00-${traceId}-${spanId}-01`, ''] },
    { name: 'two traces', input: [`00-${traceId}-${spanId}-01`, `00-${'a'.repeat(32)}-${spanId}-01`] },
    {
      name: 'two traces in one value',
      input: [`00-${traceId}-${spanId}-01,00-${'a'.repeat(32)}-${spanId}-01`],
    },
    { name: 'a comma at the end', input: [`00-${traceId}-${spanId}-01,`] },
    { name: 'more fields in version 00', input: [`00-${traceId}-${spanId}-01-what`] },
    { name: 'version ff', input: [`ff-${traceId}-${spanId}-01`] },
    { name: 'upper case', input: [`00-${traceId.toUpperCase()}-${spanId}-01`] },
    { name: 'a trace id of zeros', input: [`00-${zeros}-${spanId}-01`] },
    { name: 'a parent id of zeros', input: [`00-${traceId}-${zeros.slice(16)}-01`] },
    { name: 'a short trace id', input: [`00-${traceId.slice(1)}-${spanId}-01`] },
    { name: 'a newline at the end', input: [`00-${traceId}-${spanId}-01\n`] },
    { name: 'an endless header', input: [`01-${traceId}-${spanId}-01-${'x'.repeat(300)}`] },
  ]
  for (const { name, input } of refused) {
    it(`does not believe ${name}`, () => {
      const headers = new Map(input === undefined ? [] : [['traceparent', input]])
      expect(traceContextOf(headers)).to.equal(undefined)
      expect(traceIdOf(headers)).to.equal(undefined)
    })
  }
})

describe('base/http/trace-context: tracestate', () => {
  const cases: readonly { name: string; input: readonly string[]; want: string | undefined }[] = [
    { name: 'reads one member', input: ['rojo=00f067aa0ba902b7'], want: 'rojo=00f067aa0ba902b7' },
    { name: 'joins headers and drops blanks', input: ['a=1 , b=2', '\tt1@v/x=3,'], want: 'a=1,b=2,t1@v/x=3' },
    { name: 'knows none', input: [], want: undefined },
    { name: 'refuses a key in upper case', input: ['A=1'], want: undefined },
    { name: 'refuses a key twice', input: ['a=1,a=2'], want: undefined },
    { name: 'refuses a member without value', input: ['a=1,b'], want: undefined },
    { name: 'refuses an equals sign in a value', input: ['a=1=2'], want: undefined },
    { name: 'refuses what is not ASCII', input: ['a=ü'], want: undefined },
    { name: 'refuses a line break', input: ['a=1\r\nx'], want: undefined },
    {
      name: 'refuses more than 32 members',
      input: [Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(',')],
      want: undefined,
    },
    {
      name: 'refuses more than 512 characters',
      input: [`a=${'x'.repeat(255)}`, `b=${'x'.repeat(255)}`],
      want: undefined,
    },
  ]
  for (const { name, input, want } of cases) {
    it(name, () => expect(traceStateOf(new Map([['tracestate', input]]))).to.equal(want))
  }
})
