import { expect } from 'chai'
import { invalid } from '../../../src/base/model/invalid.ts'
import { isProblems } from '../../../src/base/model/problems.ts'

describe('base/model/problems', () => {
  it('knows problems by their kind, never by a list', () => {
    expect(isProblems({ kind: 'problems', problems: [invalid('why')] })).to.equal(true)
    const others = [[], [invalid('why')], { problems: [] }, invalid('why'), undefined, 'problems']
    for (const other of others) expect(isProblems(other), JSON.stringify(other)).to.equal(false)
  })
})
