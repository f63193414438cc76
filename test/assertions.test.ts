import { expect } from 'chai'
import Mocha from 'mocha'

describe('a test', () => {
  for (const { name, body, wants } of [
    { name: 'fails when it makes no assertion', body: () => {}, wants: 'the test made no assertion' },
    {
      name: 'fails when it makes none and waits',
      body: () => new Promise(setImmediate),
      wants: 'the test made no assertion',
    },
    { name: 'passes when it makes one', body: () => void expect(1).to.equal(1), wants: undefined },
    {
      name: 'passes when it makes one after a wait',
      body: async () => {
        await new Promise(setImmediate)
        expect(1).to.equal(1)
      },
      wants: undefined,
    },
    {
      name: 'fails as it fails, assertion or not',
      body: () => {
        throw new RangeError('bug')
      },
      wants: 'bug',
    },
  ]) {
    it(name, async () => {
      const inner = new Mocha.Test('inner', body)
      const error = await new Promise<Error | undefined>((resolve) => {
        inner.run((cause?: Error) => resolve(cause))
      })
      expect(error?.message).to.equal(wants)
    })
  }
})
