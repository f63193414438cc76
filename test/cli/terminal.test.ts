import { expect } from 'chai'
import { describeError } from '../../src/cli/terminal.ts'

describe('cli/terminal', () => {
  it('describes an error and its causes in one line', () => {
    const cause = new Error('connection refused\nat somewhere')
    expect(describeError(new Error('cannot read', { cause }))).to.equal('cannot read: connection refused')
  })

  it('describes what is no error', () => expect(describeError('gone')).to.equal('gone'))
})
