import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { apart, packageWings, pureFolders, wingOf, wings } from '../scripts/wings.ts'

const project = fileURLToPath(new URL('..', import.meta.url))

/** Wings, and the folders that have rules of their own. */
const folders = [...new Set([...Object.keys(wings), ...apart.flat(), ...pureFolders])]

/** Entry points by which packages could come in. */
const entryPoints: readonly (readonly [specifier: string, packageName: string])[] = [
  ['@grpc/grpc-js', '@grpc'],
  ['@grpc/proto-loader', '@grpc'],
  ['@grpc/reflection', '@grpc'],
  ['grpc-health-check', 'grpc-health-check'],
  ['protobufjs', 'protobufjs'],
  ['protobufjs/minimal.js', 'protobufjs'],
  ['jose', 'jose'],
  ['@cedar-policy/cedar-wasm/nodejs', '@cedar-policy'],
  ['pino', 'pino'],
  ['prom-client', 'prom-client'],
  ['commander', 'commander'],
  ['lru-cache', 'lru-cache'],
]

/** One import of a planted file, which the table of wings allows or not. */
type Import = { readonly path: string; readonly specifier: string; readonly isAllowed: boolean }
type Diagnostic = {
  readonly category: string
  readonly location: { readonly path: string; readonly start: { readonly line: number } }
}

const habits: readonly (readonly [name: string, rule: string, text: string, path?: string])[] = [
  ['default-export', 'style/noDefaultExport', 'export default function seven(): number {\n  return 7\n}\n'],
  ['any', 'suspicious/noExplicitAny', 'export const seven: any = 7\n'],
  [
    'non-null',
    'style/noNonNullAssertion',
    'export const first = (list: readonly string[]): string => list[0]!\n',
  ],
  ['enum', 'style/noEnum', 'export enum Seven {\n  Only = 7,\n}\n'],
  ['console', 'suspicious/noConsole', 'console.log(7)\n'],
  ['environment', 'style/noProcessEnv', "export const home: string | undefined = process.env['HOME']\n"],
  [
    'missing-extension',
    'correctness/useImportExtensions',
    "import { target } from './target'\n\nexport const seven: number = target\n",
  ],
  [
    'cycle',
    'suspicious/noImportCycles',
    "import { other } from './cycle-back.ts'\n\nexport const one = (): number => other()\n",
  ],
  [
    'cycle-back',
    'suspicious/noImportCycles',
    "import { one } from './cycle.ts'\n\nexport const other = (): number => one()\n",
  ],
  ['barrel', 'performance/noBarrelFile', "export * from './target.ts'\n"],
  [
    'parameter-property',
    'style/noParameterProperties',
    'export class Seven {\n  constructor(readonly value: number) {}\n}\n',
  ],
  [
    'type-import',
    'style/useImportType',
    "import { target } from './target.ts'\n\nexport type Target = typeof target\n",
  ],
  [
    'long-file',
    'style/noExcessiveLinesPerFile',
    Array.from({ length: 251 }, (_, line) => `export const line${line} = ${line}\n`).join(''),
  ],
  [
    'long-function',
    'complexity/noExcessiveLinesPerFunction',
    `export function long(): number {\n  let sum = 0\n${'  sum += 1\n'.repeat(60)}  return sum\n}\n`,
  ],
  [
    'lost-cause',
    'style/useErrorCause',
    'export function fail(): void {\n  try {\n    JSON.parse("")\n  } catch (error) {\n    throw new Error("lost")\n  }\n}\n',
  ],
  [
    'camel-case',
    'style/useFilenamingConvention',
    'export const seven = 7\n',
    'src/decision/chain/camelCase.ts',
  ],
]

describe('wings', () => {
  const imports = [...wingImports(), ...packageImports(), ...impureImports()]
  let refusals: ReadonlySet<string>
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waywarden-wings-'))
    await plant(folder, imports)
    refusals = lint(folder)
  })

  after(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  for (const path of folders.map(plantOf)) {
    it(`lets ${path} import what the table says and nothing else`, () => {
      const planted = importsOf(path, imports)
      const passed = planted.filter(
        (_, index) => !refusals.has(`${path}:${index + 1} lint/style/noRestrictedImports`),
      )
      expect(passed.map(({ specifier }) => specifier)).to.deep.equal(
        planted.filter(({ isAllowed }) => isAllowed).map(({ specifier }) => specifier),
      )
    })
  }

  for (const [name, rule, , path = `src/decision/chain/${name}.ts`] of habits) {
    it(`refuses ${path} by ${rule}`, () => {
      expect(refusals).to.include(`${path} lint/${rule}`)
    })
  }

  // `cli` has one file a command.
  it('keeps each folder of src/ but cli to about twenty files', () => {
    const sizes = new Map<string, number>()
    for (const { parentPath, name } of readdirSync('src', { recursive: true, withFileTypes: true }))
      if (name.endsWith('.ts')) sizes.set(parentPath, (sizes.get(parentPath) ?? 0) + 1)
    expect([...sizes].filter(([path, files]) => path !== 'src/cli' && files > 22)).to.deep.equal([])
    expect(sizes.get('src/cli')).to.be.greaterThan(22)
  })
})

function wingImports(): readonly Import[] {
  return folders.flatMap((from) =>
    folders
      .filter(
        (to) => to !== from && !(wingOf(from) === wingOf(to) && (from === wingOf(from) || to === wingOf(to))),
      )
      .map((to) => ({ path: plantOf(from), specifier: targetOf(from, to), isAllowed: mayImport(from, to) })),
  )
}

function packageImports(): readonly Import[] {
  return entryPoints.flatMap(([specifier, packageName]) =>
    folders.map((folder) => ({
      path: plantOf(folder),
      specifier,
      isAllowed: wingOf(folder) === packageWings[packageName],
    })),
  )
}

function impureImports(): readonly Import[] {
  return pureFolders.flatMap((folder) =>
    ['node:fs', 'node:fs/promises', 'node:net', 'yaml', 'valibot'].map((specifier) => ({
      path: plantOf(folder),
      specifier,
      isAllowed: false,
    })),
  )
}

function mayImport(from: string, to: string): boolean {
  if (wingOf(from) !== wingOf(to)) return wings[wingOf(from)]?.includes(wingOf(to)) === true
  return !apart.some((pair) => pair.includes(from) && pair.includes(to))
}

function plantOf(folder: string): string {
  return folder === 'main' ? 'src/main.ts' : `src/${folder}/planted.ts`
}

function targetOf(from: string, to: string): string {
  const up = from === 'main' ? './' : '../'.repeat(from.split('/').length)
  if (wingOf(from) === wingOf(to)) return `../${to.slice(wingOf(to).length + 1)}/target.ts`
  return to === 'main' ? `${up}main.ts` : `${up}${to}/target.ts`
}

function importsOf(path: string, imports: readonly Import[]): readonly Import[] {
  return imports.filter((planted) => planted.path === path)
}

async function plant(folder: string, imports: readonly Import[]): Promise<void> {
  for (const name of ['biome.json', '.gitignore']) await cp(join(project, name), join(folder, name))
  const texts = new Map(folders.map((folder) => [`src/${folder}/target.ts`, 'export const target = 7\n']))
  for (const module of folders) {
    const lines = importsOf(plantOf(module), imports).map(
      ({ specifier }, index) => `import { target as t${index} } from '${specifier}'`,
    )
    texts.set(plantOf(module), lines.join('\n'))
  }
  texts.set('src/decision/chain/target.ts', 'export const target = 7\n')
  for (const [name, , text, path = `src/decision/chain/${name}.ts`] of habits) texts.set(path, text)
  for (const [path, text] of texts) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

/** The refusals, by file and by file and line. */
function lint(folder: string): ReadonlySet<string> {
  const biome = join(project, 'node_modules/@biomejs/biome/bin/biome')
  const options = { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const
  const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.']
  const { stdout } = spawnSync(process.execPath, args, options)
  const { diagnostics }: { diagnostics: readonly Diagnostic[] } = JSON.parse(stdout)
  return new Set(
    diagnostics.flatMap(({ category, location: { path, start } }) => [
      `${path} ${category}`,
      `${path}:${start.line} ${category}`,
    ]),
  )
}
