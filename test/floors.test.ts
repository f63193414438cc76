import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const project = fileURLToPath(new URL('..', import.meta.url))

/** From the top down. `config` and its parts stand beside the floors: main, cli and app read them, and they know only nouns. */
const floors = [
  ['main'],
  ['cli'],
  // Every file beside app.ts is a part of it.
  ['app', 'wiring'],
  ['ext-authz', 'admin'],
  ['review'],
  ['check'],
  ['revision', 'identity', 'chain', 'audit', 'observe'],
  ['jws'],
  ['model'],
]
const rooms = floors.flat()
const files = new Set(['main', 'app', 'wiring', 'config', 'config-schema'])
const appFloor = 2
const modules = [...rooms, 'config', 'config-schema']
const readsConfig = new Set(['main', 'cli', 'app', 'wiring', 'config', 'config-schema'])

const packageRooms: readonly (readonly [packageName: string, room: string])[] = [
  ['@grpc/grpc-js', 'ext-authz'],
  ['@grpc/proto-loader', 'ext-authz'],
  ['@grpc/reflection', 'ext-authz'],
  ['grpc-health-check', 'ext-authz'],
  ['protobufjs', 'ext-authz'],
  ['protobufjs/minimal.js', 'ext-authz'],
  ['jose', 'jws'],
  ['@cedar-policy/cedar-wasm/nodejs', 'revision'],
  ['pino', 'observe'],
  ['prom-client', 'observe'],
  ['commander', 'cli'],
]

/** One import of a planted file, which the floors allow or not. */
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
  ['camel-case', 'style/useFilenamingConvention', 'export const seven = 7\n', 'src/chain/camelCase.ts'],
]

describe('floors', () => {
  const imports = [...roomImports(), ...packageImports(), ...impureImports()]
  let refusals: ReadonlySet<string>
  let folder: string

  before(async function () {
    this.timeout(60_000)
    folder = await mkdtemp(join(tmpdir(), 'waywarden-floors-'))
    await plant(folder, imports)
    refusals = lint(folder)
  })

  after(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  for (const path of modules.map(plantOf)) {
    it(`lets ${path} import what stands below it and nothing else`, () => {
      const planted = importsOf(path, imports)
      const passed = planted.filter(
        (_, index) => !refusals.has(`${path}:${index + 1} lint/style/noRestrictedImports`),
      )
      expect(passed.map(({ specifier }) => specifier)).to.deep.equal(
        planted.filter(({ isAllowed }) => isAllowed).map(({ specifier }) => specifier),
      )
    })
  }

  for (const [name, rule, , path = `src/chain/${name}.ts`] of habits) {
    it(`refuses ${path} by ${rule}`, () => {
      expect(refusals).to.include(`${path} lint/${rule}`)
    })
  }
})

function roomImports(): readonly Import[] {
  return modules.flatMap((from) =>
    modules
      .filter((to) => to !== from)
      .map((to) => ({ path: plantOf(from), specifier: targetOf(from, to), isAllowed: mayImport(from, to) })),
  )
}

function packageImports(): readonly Import[] {
  return packageRooms.flatMap(([specifier, owner]) =>
    modules.map((module) => ({ path: plantOf(module), specifier, isAllowed: module === owner })),
  )
}

function impureImports(): readonly Import[] {
  return ['check', 'model'].flatMap((room) =>
    ['node:fs', 'node:fs/promises', 'node:net', 'yaml', 'valibot'].map((specifier) => ({
      path: plantOf(room),
      specifier,
      isAllowed: false,
    })),
  )
}

function mayImport(from: string, to: string): boolean {
  if (to.startsWith('config')) return readsConfig.has(from)
  if (floorOf(from) === appFloor && floorOf(to) === appFloor) return true
  return from.startsWith('config') ? to === 'model' : floorOf(from) < floorOf(to)
}

function floorOf(room: string): number {
  return floors.findIndex((floor) => floor.includes(room))
}

function plantOf(module: string): string {
  return files.has(module) ? `src/${module}.ts` : `src/${module}/planted.ts`
}

function targetOf(from: string, to: string): string {
  const up = files.has(from) ? './' : '../'
  return files.has(to) ? `${up}${to}.ts` : `${up}${to}/target.ts`
}

function importsOf(path: string, imports: readonly Import[]): readonly Import[] {
  return imports.filter((planted) => planted.path === path)
}

async function plant(folder: string, imports: readonly Import[]): Promise<void> {
  for (const name of ['biome.json', '.gitignore']) await cp(join(project, name), join(folder, name))
  const texts = new Map(rooms.map((room) => [`src/${room}/target.ts`, 'export const target = 7\n']))
  for (const module of modules) {
    const lines = importsOf(plantOf(module), imports).map(
      ({ specifier }, index) => `import { target as t${index} } from '${specifier}'`,
    )
    texts.set(plantOf(module), lines.join('\n'))
  }
  for (const [name, , text, path = `src/chain/${name}.ts`] of habits) texts.set(path, text)
  for (const [path, text] of texts) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

/** What was refused, by file and by file and line. */
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
