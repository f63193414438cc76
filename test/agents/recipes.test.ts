import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'

const agents = new URL('../../agents/', import.meta.url)
const languages = [
  { fence: 'js', folder: 'node', use: (name: string) => `recipe-${name}.mjs` },
  { fence: 'python', folder: 'python', use: (name: string) => `recipe("${name}")` },
]

describe('agents/README', () => {
  const readme = readFileSync(new URL('README.md', agents), 'utf8')
  for (const { fence, folder, use } of languages) {
    const frameworks = new URL(`${folder}/frameworks/`, agents)
    const tests = readdirSync(frameworks)
      .filter((file) => file.includes('test'))
      .map((file) => readFileSync(new URL(file, frameworks), 'utf8'))
      .join('\n')
    const recipes = [...readme.matchAll(new RegExp(`^\`\`\`${fence} recipe=(\\w+)$`, 'gm'))]
    it(`runs each of its ${recipes.length} ${fence} recipes with the real framework`, () => {
      const untested = recipes.map(([, name = '']) => name).filter((name) => !tests.includes(use(name)))
      expect(recipes).to.have.length.greaterThan(5)
      expect(untested).to.deep.equal([])
    })
  }
})
