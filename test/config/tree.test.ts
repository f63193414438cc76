import { expect } from 'chai'
import { settingsSchema } from '../../src/config/schema.ts'
import { readConfigTree } from '../../src/config/tree.ts'

const text = `version: 1
chain:
  issuer: https://a.example
  isuer: https://b.example
users:
  - name: hospital
    audience:
  - {name: clinic, colour: red}
`

describe('config-tree', () => {
  const tree = readConfigTree(settingsSchema, text)

  it('takes unknown keys out and tells where they stand', () => {
    expect(tree.problems.map(({ path, line }) => [path.join('.'), line])).to.deep.equal([
      ['chain.isuer', 4],
      ['users.1.colour', 8],
    ])
    expect(tree.root).to.deep.equal({
      version: 1,
      chain: { issuer: 'https://a.example' },
      users: [{ name: 'hospital', audience: null }, { name: 'clinic' }],
    })
  })

  const lines: readonly (readonly [path: readonly (string | number)[], line: number])[] = [
    [['chain', 'issuer'], 3],
    [['chain', 'keys'], 2],
    [['users', 0, 'audience'], 7],
    [['users', 0, 'jwks'], 6],
    [['users', 1, 'name'], 8],
    [['policy', 'directory'], 1],
  ]
  for (const [path, line] of lines) {
    it(`finds ${path.join('.')}, or what should hold it, on line ${line}`, () =>
      expect(tree.lineOf(path)).to.equal(line))
  }

  it('reports every syntax error and reads nothing', () => {
    const { root, problems } = readConfigTree(settingsSchema, 'version: 1\nversion: 1\nchain: {issuer: [}\n')
    expect(root).to.equal(undefined)
    expect(problems.map(({ line }) => line)).to.include.members([2, 3])
  })

  it('survives an alias that contains itself', () => {
    expect(readConfigTree(settingsSchema, 'users: &a [*a]\n').problems).to.be.an('array')
  })

  it('refuses a list where keys must stand', () => {
    expect(readConfigTree(settingsSchema, 'chain: [issuer]\n').problems).to.have.length(1)
  })
})
