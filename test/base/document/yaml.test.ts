import { expect } from 'chai'
import fc from 'fast-check'
import { type Path, readYaml } from '../../../src/base/document/yaml.ts'

const text = `version: 1
chain:
  issuer: https://a.example
users:
  - name: 0123
    audience:
  - {name: '0123', colour: red}
`

/** One fault each, the place where it is reported, and what its message must name. */
const faults: readonly {
  readonly name: string
  readonly text: string
  readonly at: readonly [line: number, column: number]
  readonly says: RegExp
}[] = [
  {
    name: 'a path with braces and without quotes',
    text: 'a:\n  - {match: POST /tools/{tool}, action: b}\n  - {c: d}\n',
    at: [2, 25],
    says: /quotes: `'POST \/tools\/\{tool\}'`/,
  },
  {
    name: 'a resource with braces and without quotes',
    text: 'a: {resource: Tool::{tool}, b: c}\n',
    at: [1, 15],
    says: /quotes: `'Tool::\{tool\}'`/,
  },
  { name: 'a route that begins with a star', text: 'match: * /x\n', at: [1, 8], says: /quotes: `'\* \/x'`/ },
  { name: 'a tab', text: 'a:\n\tb: c\n\td: e\n', at: [2, 1], says: /tab.*spaces/ },
  { name: 'a key that stands twice', text: 'a: 1\nb: 2\na: 3\n', at: [3, 1], says: /twice/ },
  { name: 'a second document', text: 'a: 1\n---\nb: 2\n', at: [2, 1], says: /second document/ },
  { name: 'a tag that means nothing', text: 'a: !secret b\n', at: [1, 4], says: /tag/ },
  { name: 'an alias of nothing', text: 'a: 1\nb: *nobody\n', at: [2, 4], says: /`\*nobody`/ },
  { name: 'a value with a colon', text: 'shared: because: it is\n', at: [1, 9], says: /quotes/ },
  { name: 'a value that begins with a percent sign', text: 'a: %b\n', at: [1, 4], says: /quotes: `'%b'`/ },
  { name: 'a quote inside of quotes', text: "a: 'it's'\n", at: [1, 8], says: /twice/ },
  { name: 'a list that is not closed', text: 'a: [b\nc: d\n', at: [2, 1], says: /not closed/ },
  { name: 'a line without a key', text: 'a: 1\nfoo\nbar: 2\n', at: [2, 1], says: /`key: value`/ },
  { name: 'a key that is no text', text: '? [a]\n: b\n', at: [1, 3], says: /text as a key/ },
  { name: 'a column of its own', text: 'a:\n   b: 1\n  c: 2\n', at: [3, 1], says: /same column/ },
  { name: 'UTF-16', text: 'a\0:\0 \x001\0', at: [1, 1], says: /UTF-16/ },
]

describe('base/document/yaml', () => {
  for (const { name, text: broken, at, says } of faults) {
    it(`reports ${name} once, where it is and what to do`, () => {
      const fault = readYaml(broken)
      if (fault.kind !== 'fault') throw new TypeError('it was read')
      expect([fault.line, fault.column]).to.deep.equal(at)
      expect(fault.message).to.match(says)
    })
  }

  it('shows the line of a fault with a caret under it', () => {
    const fault = readYaml('a: 1\nb: c: d\n')
    expect(fault).to.have.property('excerpt', '2 | b: c: d\n  |    ^')
  })

  const places: readonly (readonly [path: Path, line: number])[] = [
    [['chain', 'issuer'], 3],
    [['chain', 'keys'], 2],
    [['users', 0, 'audience'], 6],
    [['users', 0, 'jwks'], 5],
    [['users', 1, 'name'], 7],
    [['policy', 'directory'], 1],
  ]
  for (const [path, line] of places) {
    it(`finds ${path.join('.')}, or what should hold it, on line ${line}`, () => {
      const document = readYaml(text)
      expect(document.kind === 'document' && document.positionOf(path).line).to.equal(line)
    })
  }

  it('knows how a value is written that YAML reads as a number', () => {
    const document = readYaml(text)
    if (document.kind !== 'document') throw new TypeError(document.message)
    expect(document.writtenAt(['users', 0, 'name'])).to.equal('0123')
    expect(document.writtenAt(['users', 1, 'name'])).to.equal(undefined)
    expect(document.writtenAt(['users', 9, 'name'])).to.equal(undefined)
  })

  it('refuses a bomb of aliases, and what contains itself', () => {
    const bomb = `a: &a [x]\nb: &b [${'*a, '.repeat(9)}]\nc: [${'*b, '.repeat(9)}]\n`
    expect(readYaml(bomb)).to.include({ kind: 'fault', line: 2, column: 8 })
    expect(readYaml(bomb)).to.have.property('message').that.includes('at most 20 aliases')
    expect(() => readYaml('users: &a [*a]\n')).not.to.throw()
  })

  const deep: readonly (readonly [name: string, text: string])[] = [
    ['dashes', '- '.repeat(100_000)],
    ['brackets', '['.repeat(100_000)],
    ['braces', '{a: '.repeat(100_000)],
    ['question marks', '? '.repeat(100_000)],
    ['indentation', Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
    ['brackets around brackets in quotes', '[ "]", '.repeat(50_000)],
  ]
  for (const [name, nested] of deep) {
    it(`refuses what is nested by ${name}, with its place and the limit`, () => {
      expect(readYaml(nested)).to.include({ kind: 'fault' }).and.have.property('message').that.includes('100')
    })
  }

  it('takes what is nested as deeply as anybody writes', () => {
    expect(readYaml(`${'['.repeat(90)}${']'.repeat(90)}`)).to.include({ kind: 'document' })
  })

  it('never throws, and every fault has a place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (written) => {
        const read = readYaml(written)
        if (read.kind === 'fault') expect([read.line, read.column].every((at) => at >= 1)).to.equal(true)
      }),
      { numRuns: 500 },
    )
  })
})
