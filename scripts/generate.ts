import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configJsonSchema } from '../src/config/config.ts'
import { generateBiome } from './generate-biome.ts'
import { generateCases } from './generate-cases.ts'
import { generateEngineCases } from './generate-engine-cases.ts'
import { generateVectors } from './generate-vectors.ts'

/** Files that follow from the code, by path from the project's root. */
type Generator = () => ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>

const generators: readonly Generator[] = [
  () => new Map([['docs/config.schema.json', `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`]]),
  generateBiome,
  generateVectors,
  generateCases,
  generateEngineCases,
]

/** Folders in which no other JSON may stand. */
const wholeFolders = ['test/vectors', 'test/cases/check', 'test/cases/engine']

const root = fileURLToPath(new URL('..', import.meta.url))
const files = new Map(
  (await Promise.all(generators.map((generate) => generate()))).flatMap((made) => [...made]),
)
const stale = [...(await findChanged()), ...(await findLeftovers())]
process.exitCode = process.argv.includes('--check') ? report() : await write()

async function findChanged(): Promise<readonly string[]> {
  const states = [...files].map(async ([path, content]) => {
    const found = await readFile(join(root, path), 'utf8').catch(() => undefined)
    return found === content ? [] : [path]
  })
  return (await Promise.all(states)).flat()
}

async function findLeftovers(): Promise<readonly string[]> {
  const found = wholeFolders.map(async (folder) => {
    const names = await readdir(join(root, folder)).catch(() => [])
    return names.filter((name) => name.endsWith('.json')).map((name) => `${folder}/${name}`)
  })
  return (await Promise.all(found)).flat().filter((path) => !files.has(path))
}

function report(): number {
  for (const path of stale) console.error(`${path} is stale; \`npm run generate\` brings it up to date`)
  return stale.length === 0 ? 0 : 1
}

async function write(): Promise<number> {
  for (const path of stale) {
    const content = files.get(path)
    const file = join(root, path)
    if (content === undefined) await rm(file, { recursive: true })
    else {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content)
    }
    console.log(`${content === undefined ? 'removed' : 'wrote'} ${path}`)
  }
  return 0
}
