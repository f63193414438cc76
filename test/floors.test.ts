import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { floors, packageRooms, pureRooms } from '../scripts/floors.ts'

const project = fileURLToPath(new URL('..', import.meta.url))

const rooms = floors.flat()

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

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waywarden-floors-'))
    await plant(folder, imports)
    refusals = lint(folder)
  })

  after(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  for (const path of rooms.map(plantOf)) {
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
  return rooms.flatMap((from) =>
    rooms
      .filter((to) => to !== from)
      .map((to) => ({ path: plantOf(from), specifier: targetOf(from, to), isAllowed: mayImport(from, to) })),
  )
}

function packageImports(): readonly Import[] {
  return entryPoints.flatMap(([specifier, packageName]) =>
    rooms.map((room) => ({ path: plantOf(room), specifier, isAllowed: room === packageRooms[packageName] })),
  )
}

function impureImports(): readonly Import[] {
  return pureRooms.flatMap((room) =>
    ['node:fs', 'node:fs/promises', 'node:net', 'yaml', 'valibot'].map((specifier) => ({
      path: plantOf(room),
      specifier,
      isAllowed: false,
    })),
  )
}

function mayImport(from: string, to: string): boolean {
  return from === 'config' ? ['document', 'model'].includes(to) : floorOf(from) < floorOf(to)
}

function floorOf(room: string): number {
  return floors.findIndex((floor) => floor.includes(room))
}

function plantOf(room: string): string {
  return room === 'main' ? 'src/main.ts' : `src/${room}/planted.ts`
}

function targetOf(from: string, to: string): string {
  const up = from === 'main' ? './' : '../'
  return to === 'main' ? `${up}main.ts` : `${up}${to}/target.ts`
}

function importsOf(path: string, imports: readonly Import[]): readonly Import[] {
  return imports.filter((planted) => planted.path === path)
}

async function plant(folder: string, imports: readonly Import[]): Promise<void> {
  for (const name of ['biome.json', '.gitignore']) await cp(join(project, name), join(folder, name))
  const texts = new Map(rooms.map((room) => [`src/${room}/target.ts`, 'export const target = 7\n']))
  for (const module of rooms) {
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
