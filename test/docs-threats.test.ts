import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { steps } from '../demo/steps.ts'

const text = readFileSync('docs/threat-model.md', 'utf8')
const [, section = ''] = /^## Attack, control, test\n([\s\S]*?)^## /m.exec(text) ?? []

describe('docs: threat-model', () => {
  it('names an existing file, vector or step for every attack', () => {
    const attacks = section.split(/^- /m).slice(1)
    expect(attacks).to.have.length.above(60)
    for (const attack of attacks) {
      // The attack in bold, the control, the tests; nothing after them but a heading.
      const entry = /^\*\*[\s\S]+?\.\*\*\s[\s\S]+?\n {2}Tests: ((?:`[^`\n]+`,?\s*)+)(?:### .+\s*)?$/
      const [, tests = ''] = entry.exec(attack) ?? []
      const named = [...tests.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
      expect(named, attack).to.not.have.length(0)
      expect(
        named.filter((name) => !isTest(name)),
        attack,
      ).to.deep.equal([])
    }
  })
})

function isTest(name: string): boolean {
  return (
    (name.startsWith('test/') && existsSync(name)) ||
    existsSync(`test/vectors/${name}.json`) ||
    steps.some(({ step }) => step === name)
  )
}
