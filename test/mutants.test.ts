import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { readMutants } from '../scripts/mutants/read-mutants.ts'

describe('the lists of mutants', () => {
  it('name places that are in the code just once, and tests that exist', () => {
    const wrong = readMutants().flatMap(({ file, idea, find, tests }) => {
      const times = existsSync(file) ? readFileSync(file, 'utf8').split(find).length - 1 : 0
      const absent = tests.filter((test) => !existsSync(test))
      if (times === 1 && absent.length === 0) return []
      return [`${file}: ${idea}: found ${times} times; absent: ${absent.join(', ') || 'no test'}`]
    })
    expect(wrong).to.deep.equal([])
  })
})
