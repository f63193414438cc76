import { readdirSync } from 'node:fs'
import { type Document, readDocument } from './document.ts'

const top = [
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'RELEASING.md',
  'src/envoy/http2/README.md',
]
const folders = ['docs', 'docs/adr']

/** Every page that people read, except the other README files of folders. */
export const pages: readonly Document[] = [
  ...top,
  ...folders.flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`)),
]
  .filter((name) => name.endsWith('.md'))
  .map(readDocument)
