import { expect } from 'chai'
import { parseGrpcTimeout } from '../../src/envoy/grpc-timeout.ts'

describe('envoy/grpc-timeout', () => {
  for (const { input, want } of [
    { input: '1H', want: 3_600_000 },
    { input: '2M', want: 120_000 },
    { input: '3S', want: 3000 },
    { input: '150m', want: 150 },
    { input: '5000u', want: 5 },
    { input: '7000000n', want: 7 },
    { input: '0m', want: 0 },
    { input: '99999999H', want: 359_999_996_400_000 },
    { input: '', want: undefined },
    { input: 'm', want: undefined },
    { input: '1', want: undefined },
    { input: '1s', want: undefined },
    { input: '-1m', want: undefined },
    { input: '1.5S', want: undefined },
    { input: '100000000m', want: undefined },
    { input: ' 1m', want: undefined },
  ]) {
    it(`reads \`${input}\` as ${want}`, () => expect(parseGrpcTimeout(input)).to.equal(want))
  }
})
