import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'

/** Vendored and generated files, which are not checked. */
const skipped = new Set([
  'node_modules',
  'dist',
  'gen',
  '.git',
  '.envoy',
  '.run',
  'package-lock.json',
  'vectors',
])

/** Written in two halves, so that this file holds none of them. */
const debris: readonly { readonly name: string; readonly pattern: RegExp; readonly files: RegExp }[] = [
  {
    name: 'a note to do something later',
    pattern: new RegExp(`\\b(?:TO${'DO'}|FIX${'ME'}|XX${'X'}|HA${'CK'})\\b`),
    files: /./,
  },
  {
    name: 'a path of somebody’s machine',
    pattern: new RegExp(`/(?:ro${'ot'}|ho${'me'}|Us${'ers'}|wo${'rk'})/[\\w.-]`),
    files: /./,
  },
  {
    name: 'a test that is skipped or alone',
    pattern: /\b(?:describe|it|context)\.(?:only|skip)\b|\bxit\(|this\.skip\(/,
    files: /\.test\.ts$/,
  },
  {
    name: 'a compiler silenced',
    pattern: new RegExp(`@ts-${'ignore'}|@ts-${'nocheck'}`),
    files: /\.(?:ts|mjs)$/,
  },
]

describe('no-debris', () => {
  // The bytes of pictures may look like text by chance.
  const texts = filesOf('.').filter((path) => !path.endsWith('.png'))
  const files = texts.map((path) => ({ path, lines: readFileSync(path, 'utf8').split('\n') }))

  for (const { name, pattern, files: which } of debris) {
    it(`finds nowhere ${name}`, () => {
      const found = files
        .filter(({ path }) => which.test(path))
        .flatMap(({ path, lines }) =>
          lines.flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
        )
      expect(found).to.deep.equal([])
    })
  }

  it('finds no registry host in the lock file', () => {
    const { packages }: { packages: Readonly<Record<string, { readonly resolved?: string }>> } = JSON.parse(
      readFileSync('package-lock.json', 'utf8'),
    )
    const hosted = Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)
    expect(hosted.map(([name]) => name)).to.deep.equal([])
  })
})

function filesOf(folder: string): readonly string[] {
  const entries: readonly Dirent[] = readdirSync(folder, { withFileTypes: true })
  return entries
    .filter(({ name }) => !skipped.has(name) && (!name.startsWith('.') || name === '.ci'))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return filesOf(path)
      return entry.isFile() ? [path] : []
    })
}
