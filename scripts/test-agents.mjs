// Installs the real frameworks into ignored folders and runs every recipe of agents/README.md against them.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))
const agents = join(project, 'agents')
const python = join(project, '.venv-agents')
const node = join(project, '.tools', 'agents-node')
const only = process.argv[2]

const results = [only === 'node' ? 0 : testPython(), only === 'python' ? 0 : testNode()]
process.exitCode = results.every((status) => status === 0) ? 0 : 1

function testPython() {
  const requirements = join(agents, 'python', 'frameworks', 'requirements.txt')
  if (!existsSync(join(python, 'bin', 'pip'))) must('python3', ['-m', 'venv', python])
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  const interpreter = join(python, 'bin', 'python')
  must(interpreter, [...pip, '-r', requirements])
  // Built from a copy: setuptools leaves folders in what it builds.
  const copy = join(python, 'waywarden-agent')
  rmSync(copy, { recursive: true, force: true })
  cpSync(join(agents, 'python'), copy, { recursive: true })
  must(interpreter, [...pip, '--force-reinstall', '--no-deps', copy])
  const tests = ['-W', 'ignore::DeprecationWarning', '-m', 'unittest', 'discover', '--verbose', '-s']
  return run(interpreter, [...tests, join(agents, 'python', 'frameworks')], {
    ACTOR_CHAIN_README: join(agents, 'README.md'),
    ACTOR_CHAIN_ALLOW: '127.0.0.1',
    OTEL_PROPAGATORS: 'tracecontext,baggage,actor-chain',
    PYTHONDONTWRITEBYTECODE: '1',
    // No framework may report home.
    CREWAI_DISABLE_TELEMETRY: 'true',
    CREWAI_TRACING_ENABLED: 'false',
    OTEL_SDK_DISABLED: 'false',
    LANGSMITH_TRACING: 'false',
  })
}

function testNode() {
  mkdirSync(node, { recursive: true })
  // Copied there, since a module's packages are looked for above it.
  cpSync(join(agents, 'node', 'frameworks'), node, { recursive: true })
  const copy = join(node, 'node_modules', 'waywarden-agent')
  must('npm', ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', node])
  rmSync(copy, { recursive: true, force: true })
  cpSync(join(agents, 'node'), copy, { recursive: true })
  writeRecipes()
  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc')
  const types = ['--types', 'node', '--typeRoots', join(project, 'node_modules', '@types')]
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext']
  must(process.execPath, [compiler, ...options, ...types, join(node, 'types.mts')])
  const tests = ['frameworks', 'propagator'].map((name) => join(node, `${name}.test.mjs`))
  return run(process.execPath, ['--test', '--test-reporter=spec', ...tests])
}

/** Every JavaScript recipe of the README as a module beside the tests, with `chain` at hand. */
function writeRecipes() {
  const readme = readFileSync(join(agents, 'README.md'), 'utf8')
  for (const [, name, code] of readme.matchAll(/^```js recipe=(\w+)\n(.*?)^```$/gms)) {
    writeFileSync(join(node, `recipe-${name}.mjs`), `import { chain } from './chain.mjs'\n${code}`)
  }
}

function must(command, args) {
  if (run(command, args) !== 0) process.exit(1)
}

function run(command, args, environment = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: project,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  })
  if (error !== undefined) console.error(`test-agents: cannot start \`${command}\`: ${error.message}`)
  return status ?? 1
}
