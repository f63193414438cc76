import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { addFolder } from './programs.ts'
import { run } from './shell.ts'

const project = join(import.meta.dirname, '..', '..')

/** The files that the image adds to its runtime: a folder, and the output of making it. */
export type ImageTree = { readonly folder: string; readonly report: string }

/** Makes the tree by `npm run sbom`, unless it is there and as the sources are. */
export function buildImageTree(): ImageTree {
  const folder = join(project, '.run', 'image')
  const stamp = `${folder}.stamp`
  const digest = digestOfSources()
  const [known, found = ''] = existsSync(stamp) ? readFileSync(stamp, 'utf8').split('\n') : []
  if (known === digest && existsSync(folder)) return { folder, report: found }
  console.error('mesh: making the tree of the image (npm run sbom)')
  const report = run('npm', ['run', '--silent', 'sbom'], project).trim().split('\n').at(-1) ?? ''
  writeFileSync(stamp, `${digest}\n${report}\n`)
  return { folder, report }
}

function digestOfSources(): string {
  const hash = createHash('sha256')
  for (const folder of ['src', 'proto']) addFolder(hash, join(project, folder))
  for (const file of ['package.json', 'package-lock.json', 'scripts/image-tree.mjs'])
    hash.update(readFileSync(join(project, file)))
  return hash.digest('hex')
}
