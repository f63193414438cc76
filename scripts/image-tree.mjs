// What the image adds to its runtime, made from a clean checkout: node scripts/image-tree.mjs FOLDER. Prints its size.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = join(dirname(fileURLToPath(import.meta.url)), '..')
const tree = process.argv[2]
if (tree === undefined) {
  console.error('expected the folder to make the tree in: node scripts/image-tree.mjs FOLDER')
  process.exit(2)
}
const app = join(tree, 'app')

// No dependency needs its install scripts, so none gets to run.
const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
run('npm', ['ci', ...quiet])
run(process.execPath, [
  join('node_modules', 'typescript', 'bin', 'tsc'),
  '-p',
  'tsconfig.build.json',
  '--noEmitOnError',
])
run('npm', ['prune', '--omit=dev', ...quiet])

mkdirSync(join(tree, 'var', 'lib', 'waywarden'), { recursive: true })
for (const name of ['dist', 'node_modules', 'proto', 'package.json', 'LICENSE']) {
  cpSync(join(source, name), join(app, name), { recursive: true })
}
// Commands that nobody can start without a shell, and builds for other platforms than Node.
for (const name of ['.bin', '@cedar-policy/cedar-wasm/esm', '@cedar-policy/cedar-wasm/web']) {
  rmSync(join(app, 'node_modules', name), { recursive: true, force: true })
}
console.log(`${(bytesUnder(tree) / 1024 / 1024).toFixed(1)} MiB in ${tree}, beside the runtime image`)

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: source, stdio: ['ignore', 2, 2] })
  if (error === undefined && status === 0) return
  console.error(
    `image-tree: \`${command} ${args.join(' ')}\` failed: ${error?.message ?? `status ${status}`}`,
  )
  process.exit(1)
}

function bytesUnder(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
