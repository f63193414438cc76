import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'

/** A cache is made by a function of base/cache, or is an object of these classes. */
const maker =
  /(?<![.\w]|await )(?:(?:remember(?:Each|Latest)?|createMemory|createGenerations|createBoundedMap|sized)(?:<[^()]*?>)?\(|new (?:WeakMap|LRUCache)\b)/
const passedOver = /^\s*(?:import\b|(?:export )?(?:async )?function\b|\*|\/\/)/

/** Finds the caches of a source by name; `line N` for one without a name. */
function cachesIn(source: string): readonly string[] {
  const lines = source.split('\n')
  return lines.flatMap((line, index) => {
    const place = passedOver.test(line) ? -1 : line.search(maker)
    // A call within the call of the line before belongs to that cache.
    if (place === -1 || /^\s*$/.test(line.slice(0, place))) return []
    const name = /^\s*(?:export )?(?:const )?(\w+)\b/.exec(line.slice(0, place))?.[1]
    return [name ?? `line ${index + 1}`]
  })
}

describe('caches', () => {
  const page = readFileSync('docs/caches.md', 'utf8')
  const rows = page.split('\n').filter((line) => /^\| `[^`]+\.ts#/.test(line))
  const listed = rows.map((row) => /`([^`]+)`/.exec(row)?.[1])
  const found = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('base/cache/'))
    .flatMap((file) => cachesIn(readFileSync(`src/${file}`, 'utf8')).map((name) => `${file}#${name}`))

  it('are all on the page, each once, and the page names no other', () => {
    expect(listed.toSorted()).to.deep.equal(found.toSorted())
  })

  it('have a bound each, or live as long as an object', () => {
    const [bounded = '', ...others] = page.split('## Results that live as long as an object')
    expect(others).to.have.length(1)
    const withBound = bounded.split('\n').filter((line) => /^\| `[^`]+\.ts#/.test(line))
    const numbers = withBound.map((row) => row.split('|')[3] ?? '')
    expect(numbers.filter((bound) => !/\d|`(?:cache|recovery)\.\w+`/.test(bound))).to.deep.equal([])
  })

  for (const { name, source, want } of [
    { name: 'a constant', source: 'const known = remember(ask, {', want: ['known'] },
    {
      name: 'an export with a type',
      source: 'export const one: (a: A) => R = rememberEach((a) => ({',
      want: ['one'],
    },
    { name: 'a member', source: '    tokens: createMemory<TokenForm>({ maxEntries }),', want: ['tokens'] },
    { name: 'a map of objects', source: 'const phases = new WeakMap<Socket, Phase>()', want: ['phases'] },
    { name: 'one that is returned', source: '  return remember(ask, options)', want: ['return'] },
    { name: 'no call of a method', source: '  proven.remember(key)', want: [] },
  ]) {
    it(`are found: ${name}`, () => {
      expect(cachesIn(source)).to.deep.equal(want)
    })
  }
})
