import { spawn } from 'node:child_process'
import { createHash, type Hash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './shell.ts'

const project = join(import.meta.dirname, '..', '..')
const sources = join(import.meta.dirname, 'go')
const tools = join(project, '.tools', 'mesh')

/** The pinned Istio; WAYWARDEN_MESH_ISTIO names another version of the module istio.io/istio. */
const pinned = /^\s*(?:require )?istio\.io\/istio (v\S+)/m.exec(
  readFileSync(join(sources, 'istio', 'go.mod'), 'utf8'),
)?.[1]
const istioVersion = process.env['WAYWARDEN_MESH_ISTIO'] ?? pinned ?? ''
const isPinned = istioVersion === pinned

/** The programs of test:mesh, by path. */
export type Programs = {
  /** A folder for PATH: etcd, the programs of Kubernetes and of Istio, ztunnel's stand-in, kubelet-api. */
  readonly bin: string
  /** Istio's module, with its charts. */
  readonly istio: string
  /** Gateway API's module, with its CRDs. */
  readonly gatewayApi: string
  readonly versions: Versions
}

export type Versions = {
  readonly istio: string
  readonly kubernetes: string
  readonly etcd: string
  readonly gatewayApi: string
}

type Part = {
  readonly name: string
  readonly packages: readonly string[]
  readonly flags?: readonly string[]
}

/** Builds what is not built yet; reports what it does, since the first time takes minutes. */
export async function buildPrograms(): Promise<Programs> {
  const istio = prepareIstio()
  const kubernetes = versionIn(join(sources, 'kubernetes'), 'k8s.io/kubernetes')
  const release = readFileSync(join(moduleFolder(istio, 'istio.io/istio'), 'VERSION'), 'utf8').trim()
  const version = `${release}.0`
  const bin = join(tools, isPinned ? 'bin' : `bin-${istioVersion}`)
  const parts: readonly (Part & { readonly folder: string })[] = [
    { name: 'etcd', folder: join(sources, 'etcd'), packages: ['go.etcd.io/etcd/server/v3'] },
    {
      name: 'kubernetes',
      folder: join(sources, 'kubernetes'),
      packages: [
        'k8s.io/kubernetes/cmd/kube-apiserver',
        'k8s.io/kubernetes/cmd/kube-controller-manager',
        'k8s.io/kubernetes/cmd/kubectl',
        './kubelet-api',
      ],
      flags: [
        `-X k8s.io/component-base/version.gitVersion=${kubernetes}`,
        `-X k8s.io/component-base/version.gitMajor=${/\d+/.exec(kubernetes)?.[0]}`,
        `-X k8s.io/component-base/version.gitMinor=${kubernetes.split('.')[1]}`,
      ],
    },
    {
      name: 'istio',
      folder: istio,
      packages: [
        'istio.io/istio/pilot/cmd/pilot-discovery',
        'istio.io/istio/pilot/cmd/pilot-agent',
        'istio.io/istio/istioctl/cmd/istioctl',
        './ztunnel',
      ],
      flags: [
        `-X istio.io/istio/pkg/version.buildVersion=${version}`,
        `-X istio.io/istio/pkg/version.buildTag=${version}`,
        '-X istio.io/istio/pkg/version.buildStatus=Clean',
      ],
    },
  ]
  mkdirSync(bin, { recursive: true })
  for (const part of parts) await build(part, bin)
  const gatewayApi = moduleFolder(istio, 'sigs.k8s.io/gateway-api')
  return {
    bin,
    istio: moduleFolder(istio, 'istio.io/istio'),
    gatewayApi,
    versions: {
      istio: version,
      kubernetes,
      etcd: versionIn(join(sources, 'etcd'), 'go.etcd.io/etcd/server/v3'),
      gatewayApi: versionIn(istio, 'sigs.k8s.io/gateway-api'),
    },
  }
}

/** The Go module of Istio's programs: the project's own, or a copy of it that names another version. */
function prepareIstio(): string {
  const own = join(sources, 'istio')
  if (isPinned) return own
  const copy = join(tools, 'sources', istioVersion)
  if (existsSync(join(copy, 'go.sum'))) return copy
  console.error(`mesh: preparing istio.io/istio ${istioVersion}`)
  const modules = ['pilot/cmd/pilot-discovery', 'pilot/cmd/pilot-agent', 'istioctl/cmd/istioctl']
  const fresh = `${copy}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  cpSync(join(own, 'ztunnel'), join(fresh, 'ztunnel'), { recursive: true })
  writeFileSync(join(fresh, 'go.mod'), 'module waywarden.example/mesh/istio\n\ngo 1.26.0\n')
  const wanted = modules.map((path) => `istio.io/istio/${path}@${istioVersion}`)
  const nftables = versionIn(own, 'github.com/google/nftables')
  run('go', ['-C', fresh, 'get', '-tool', ...wanted])
  run('go', ['-C', fresh, 'get', `github.com/google/nftables@${nftables}`])
  cpSync(fresh, copy, { recursive: true })
  rmSync(fresh, { recursive: true })
  return copy
}

async function build(
  { name, folder, packages, flags = [] }: Part & { readonly folder: string },
  bin: string,
): Promise<void> {
  const stamp = join(bin, `.${name}`)
  const digest = digestOf(folder, [...packages, ...flags])
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  console.error(`mesh: building ${programsOf(name, packages).join(', ')}; the first time takes minutes`)
  const startedMs = performance.now()
  const seconds = (): string => `${Math.round((performance.now() - startedMs) / 1000)} s`
  const progress = setInterval(() => console.error(`mesh: still building ${name}, ${seconds()}`), 30_000)
  // Unoptimized: the compiler takes a third less time.
  const target = packages.length === 1 ? join(bin, name) : `${bin}/`
  const options = ['-trimpath', '-buildvcs=false', '-gcflags=all=-N -l', `-ldflags=-s -w ${flags.join(' ')}`]
  try {
    await go(folder, ['build', ...options, '-o', target, ...packages])
  } finally {
    clearInterval(progress)
  }
  console.error(`mesh: built ${name} in ${seconds()}`)
  // Written last, so that an interrupted build counts as none.
  writeFileSync(stamp, digest)
}

/** The path of etcd's command ends with its version. */
function programsOf(name: string, packages: readonly string[]): readonly string[] {
  return packages.length === 1 ? [name] : packages.map((path) => path.replace(/^.*\//, ''))
}

function go(folder: string, args: readonly string[]): Promise<void> {
  const env = { ...process.env, CGO_ENABLED: '0' }
  const child = spawn('nice', ['go', ...args], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`go ${args[0]} in ${folder} failed`)),
    )
  })
}

function digestOf(folder: string, recipe: readonly string[]): string {
  const hash = createHash('sha256').update(recipe.join('\n'))
  addFolder(hash, folder)
  return hash.digest('hex')
}

/** Adds the paths and contents of all files under a folder to a digest. */
export function addFolder(hash: Hash, folder: string): void {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  for (const path of paths.sort()) hash.update(path.slice(folder.length)).update(readFileSync(path))
}

function versionIn(folder: string, module: string): string {
  return run('go', ['-C', folder, 'list', '-m', '-f', '{{.Version}}', module]).trim()
}

function moduleFolder(folder: string, module: string): string {
  run('go', ['-C', folder, 'mod', 'download', module])
  return run('go', ['-C', folder, 'list', '-m', '-f', '{{.Dir}}', module]).trim()
}
