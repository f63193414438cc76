import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(`src/${file}`, 'utf8') }))

const outside = sources.filter(({ file }) => !file.startsWith('revision/'))

describe('the one way to a decision', () => {
  it('leads through judge: nothing else outside revision/ asks a revision', () => {
    const asking = outside.filter(({ text }) =>
      /[.?]evaluate\b|\bevaluate[,:(} ]/.test(withoutComments(text)),
    )
    expect(asking.map(({ file }) => file)).to.deep.equal(['check/judge.ts'])
  })

  it('keeps the engine and Cedar inside revision/', () => {
    const near = /from '(?:[./]*(?:\/revision)?\/(?:engine|cedar|cedar-call|slices)\.ts|@cedar-policy\/.*)'/
    expect(outside.filter(({ text }) => near.test(text)).map(({ file }) => file)).to.deep.equal([])
  })

  it('is the one that live checks, tests, explanations, lint, diffs, why and the shadow take', () => {
    const judging = sources.filter(({ text }) => /from '.*\/judge\.ts'/.test(text)).map(({ file }) => file)
    expect(judging).to.include.members([
      'app/remembered.ts',
      'review/believed.ts',
      'review/situation.ts',
      'review/recorded.ts',
      'review/explain.ts',
      'review/flips.ts',
      'review/lint-chainless.ts',
      'review/diff.ts',
      'review/shadow.ts',
    ])
  })
})

function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/'evaluate'/g, '')
}
