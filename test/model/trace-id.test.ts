import { expect } from 'chai'
import { traceIdOf } from '../../src/model/trace-id.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parentId = '00f067aa0ba902b7'
const zeros = '0'.repeat(32)

describe('model/trace-id', () => {
  const cases: readonly { name: string; input: readonly string[] | undefined; want: string | undefined }[] = [
    { name: 'reads version 00', input: [`00-${traceId}-${parentId}-01`], want: traceId },
    {
      name: 'reads a later version with more fields',
      input: [`01-${traceId}-${parentId}-01-what`],
      want: traceId,
    },
    { name: 'knows no header', input: undefined, want: undefined },
    { name: 'knows no empty header', input: [''], want: undefined },
    { name: 'refuses a repeated header', input: [`00-${traceId}-${parentId}-01`, ''], want: undefined },
    {
      name: 'refuses more fields in version 00',
      input: [`00-${traceId}-${parentId}-01-what`],
      want: undefined,
    },
    { name: 'refuses version ff', input: [`ff-${traceId}-${parentId}-01`], want: undefined },
    { name: 'refuses upper case', input: [`00-${traceId.toUpperCase()}-${parentId}-01`], want: undefined },
    { name: 'refuses a trace id of zeros', input: [`00-${zeros}-${parentId}-01`], want: undefined },
    { name: 'refuses a parent id of zeros', input: [`00-${traceId}-${zeros.slice(16)}-01`], want: undefined },
    { name: 'refuses a short trace id', input: [`00-${traceId.slice(1)}-${parentId}-01`], want: undefined },
    { name: 'refuses a newline at the end', input: [`00-${traceId}-${parentId}-01\n`], want: undefined },
    {
      name: 'refuses an endless header',
      input: [`01-${traceId}-${parentId}-01-${'x'.repeat(300)}`],
      want: undefined,
    },
  ]
  for (const { name, input, want } of cases) {
    it(name, () => {
      const headers = new Map(input === undefined ? [] : [['traceparent', input]])
      expect(traceIdOf(headers)).to.equal(want)
    })
  }
})
