// Makes the files that the image adds to its runtime, from the sources alone: node scripts/image-tree.mjs FOLDER.
// Prints its size. app/sbom.cdx.json (CycloneDX) in it names every package that is there.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = join(dirname(fileURLToPath(import.meta.url)), '..')
const tree = process.argv[2]
if (tree === undefined) {
  console.error('expected the folder to make the tree in: node scripts/image-tree.mjs FOLDER')
  process.exit(2)
}
const app = join(tree, 'app')
const temporary = mkdtempSync(join(tmpdir(), 'image-tree-'))
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))
// npm takes the folder's name for the product's.
const work = join(temporary, 'waywarden')

for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'src']) {
  cpSync(join(source, name), join(work, name), { recursive: true })
}
// No dependency needs its install scripts, so none gets to run.
const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
run('npm', ['ci', ...quiet])
const compiler = join('node_modules', 'typescript', 'bin', 'tsc')
run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noEmitOnError'])
// `optional` is the compiler, which valibot names as a peer; nothing that serves is optional.
run('npm', ['prune', '--omit=dev', '--omit=optional', ...quiet])
run('npm', ['pkg', 'delete', 'devDependencies', 'scripts'])

rmSync(app, { recursive: true, force: true })
mkdirSync(join(tree, 'var', 'lib', 'waywarden'), { recursive: true })
for (const name of ['dist', 'node_modules', 'package.json']) {
  cpSync(join(work, name), join(app, name), { recursive: true })
}
for (const name of ['proto', 'LICENSE']) cpSync(join(source, name), join(app, name), { recursive: true })
// npm's `--omit` would leave out what development happens to use as well; here nothing is left to omit.
writeFileSync(
  join(app, 'sbom.cdx.json'),
  run('npm', ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application'], ['ignore', 'pipe', 2]),
)
// Builds for other platforms than Node, and commands that nobody can start without a shell.
for (const name of ['esm', 'web']) {
  rmSync(join(app, 'node_modules', '@cedar-policy', 'cedar-wasm', name), { recursive: true })
}
for (const path of readdirSync(app, { recursive: true }).filter((path) => path.endsWith('/.bin'))) {
  rmSync(join(app, path), { recursive: true })
}
for (const path of filesUnder(join(app, 'node_modules')).filter(isForDevelopment)) rmSync(path)
console.log(`${(bytesUnder(tree) / 1024 / 1024).toFixed(1)} MiB in ${tree}, beside the runtime image`)

function run(command, args, stdio = ['ignore', 2, 2]) {
  const { status, error, stdout } = spawnSync(command, args, { cwd: work, stdio, encoding: 'utf8' })
  if (error === undefined && status === 0) return stdout
  console.error(
    `image-tree: \`${command} ${args.join(' ')}\` failed: ${error?.message ?? `status ${status}`}`,
  )
  process.exit(1)
}

/** Files for compilers, debuggers and tests, which a server never loads. More than half of what npm installs. */
function isForDevelopment(path) {
  return (
    /\.(?:ts|mts|cts|map|tsbuildinfo)$/.test(path) ||
    /\/node_modules\/(?:@[^/]+\/)?[^/]+\/tests?\//.test(path)
  )
}

function bytesUnder(directory) {
  return filesUnder(directory).reduce((sum, path) => sum + statSync(path).size, 0)
}

function filesUnder(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
