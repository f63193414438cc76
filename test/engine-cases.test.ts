import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { askEngine, type EngineCase, engineTexts } from './support/engine-corpus.ts'

const folder = new URL('./cases/engine/', import.meta.url)

describe('golden decisions of the engine, test/cases/engine', () => {
  const files = readdirSync(folder)

  it('has a file for every text', () => {
    expect(files.sort()).to.deep.equal(engineTexts.map(({ name }) => `${name}.json`).sort())
  })

  for (const file of files) {
    const golden: EngineCase = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
    it(`${golden.name}: ${golden.why}`, () => expect(askEngine(golden)).to.deep.equal(golden))
  }

  it('knows every outcome that a policy can have', () => {
    const outcomes = files.flatMap((file) => {
      const { decisions }: EngineCase = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
      return decisions.map(({ outcome }) => outcome)
    })
    expect([...new Set(outcomes)].sort()).to.deep.equal(['error', 'forbid', 'no-permit', 'permit'])
  })
})
