import { expect } from 'chai'
import { formatProblem, limitProblems, positionAt } from '../../../src/base/document/problem.ts'

describe('base/document/problem', () => {
  it('counts lines and columns from one', () => {
    expect(positionAt('ab\ncd', 0)).to.deep.equal({ line: 1, column: 1 })
    expect(positionAt('ab\ncd', 4)).to.deep.equal({ line: 2, column: 2 })
  })

  it('prints what is known of the place', () => {
    expect(formatProblem({ file: 'a', message: 'm' })).to.equal('a: m')
    expect(formatProblem({ file: 'a', line: 2, message: 'm' })).to.equal('a:2: m')
    expect(formatProblem({ file: 'a', line: 2, column: 3, message: 'm' })).to.equal('a:2:3: m')
  })

  it('shows as many as anybody reads, each no longer than that, and says how many more there are', () => {
    const few = [{ file: 'a', line: 1, message: 'm' }]
    expect(limitProblems(few)).to.deep.equal(few)
    const many = Array.from({ length: 1000 }, () => ({ file: 'a', message: 'x'.repeat(5000) }))
    const shown = limitProblems(many)
    expect(shown).to.have.length(50)
    expect(shown[0]?.message).to.have.length(1000)
    expect(shown.at(-1)).to.deep.equal({ file: '.', message: 'and 951 more' })
    expect(limitProblems(shown)).to.deep.equal(shown)
  })
})
