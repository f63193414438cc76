import { expect } from 'chai'
import { formatProblem, positionAt } from '../../src/revision/problem.ts'

describe('revision/problem', () => {
  it('counts lines and columns from one', () => {
    expect(positionAt('ab\ncd', 0)).to.deep.equal({ line: 1, column: 1 })
    expect(positionAt('ab\ncd', 4)).to.deep.equal({ line: 2, column: 2 })
  })

  it('prints what is known of the place', () => {
    expect(formatProblem({ file: 'a', message: 'm' })).to.equal('a: m')
    expect(formatProblem({ file: 'a', line: 2, message: 'm' })).to.equal('a:2: m')
    expect(formatProblem({ file: 'a', line: 2, column: 3, message: 'm' })).to.equal('a:2:3: m')
  })
})
