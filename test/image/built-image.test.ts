import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type BuiltImage, buildImage, findMissing, removeImage } from '../../scripts/image/buildah.ts'
import { mountPod } from '../support/kubelet.ts'
import { localSettings, untilReady } from '../support/pod.ts'
import { renderKustomize } from '../support/rendered.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/** The most that the image may add to its runtime. docs/install.md names the size of today. */
const budgetMiB = 20

/** Mounts the image read-only, with the pod's volumes and /dev, and changes the root as a runtime does. */
const enter = `set -e
mount --bind "$1" "$1"
mount --rbind /dev "$1/dev"
mount --bind "$2" "$1$2"
mount -o remount,bind,ro "$1"
root=$1; user=$3; shift 3
exec chroot --userspec="$user" "$root" "$@"`

describe('the image, built from the Dockerfile', () => {
  let image: BuiltImage
  let tree: string
  let child: ChildProcess | undefined

  before(function () {
    const missing = findMissing()
    if (missing.length > 0) throw new Error(`cannot build an image here:\n${missing.join('\n')}`)
    this.timeout(1_200_000)
    image = buildImage()
    tree = join(temporaryDirectory(), 'tree')
    execFileSync(process.execPath, ['scripts/image-tree.mjs', tree], { stdio: ['ignore', 'pipe', 'pipe'] })
  })

  after(async () => {
    if (child?.exitCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    removeImage()
  })

  it('adds exactly what scripts/image-tree.mjs makes', () => {
    const added = filesUnder(image.root, 'app')
    expect(added.size).to.be.greaterThan(500)
    expect([...added]).to.deep.equal([...filesUnder(tree, 'app')])
    expect(readdirSync(join(image.root, 'var/lib/waywarden'))).to.deep.equal([])
  })

  it(`adds less than ${budgetMiB} MiB, and the build says how much`, () => {
    const files = [...filesUnder(image.root, 'app').keys()]
    const bytes = files.reduce((sum, path) => sum + statSync(join(image.root, path)).size, 0)
    const mebibytes = (bytes / 1024 / 1024).toFixed(1)
    expect(Number(mebibytes)).to.be.lessThan(budgetMiB)
    expect(image.log).to.include(`${mebibytes} MiB in /tree`)
    const [, documented] = /`([\d.]+) MiB in \/tree/.exec(readFileSync('docs/install.md', 'utf8')) ?? []
    expect(Number(documented)).to.be.closeTo(Number(mebibytes), 1)
  })

  it('prints its version as its own user', () => {
    expect(run(['--version'])).to.equal(`${JSON.parse(readFileSync('package.json', 'utf8')).version}\n`)
    expect(image.user).to.equal('65532:65532')
  })

  it('serves with a read-only root, and writes evidence to its volume alone', async () => {
    const pod = temporaryDirectory()
    const mounted = mountPod(renderKustomize('enforce'), pod)
    for (const path of ['', ...readdirSync(pod, { recursive: true, encoding: 'utf8' })])
      if (statSync(join(pod, path)).isDirectory()) chownSync(join(pod, path), 65_532, 65_532)
    const before = [...filesUnder(image.root, 'app')]
    child = start(pod, mounted.args, { ...mounted.env, ...localSettings(mounted) })
    await untilReady(child)
    expect([...filesUnder(image.root, 'app')]).to.deep.equal(before)
    const written = readdirSync(mounted.inPod('/var/lib/waywarden/audit'))
    expect(written.some((name) => name.endsWith('.ndjson'))).to.equal(true)
    expect(statSync(mounted.inPod('/var/lib/waywarden/audit')).uid).to.equal(65_532)
  })

  function start(pod: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    return spawn('unshare', commandOf(pod, args), { env, stdio: ['ignore', 'inherit', 'pipe'] })
  }

  function run(args: readonly string[]): string {
    return execFileSync('unshare', commandOf(temporaryDirectory(), args), { env: {}, encoding: 'utf8' })
  }

  function commandOf(pod: string, args: readonly string[]): readonly string[] {
    mkdirSync(join(image.root, pod), { recursive: true })
    return ['--mount', 'sh', '-c', enter, 'sh', image.root, pod, image.user, ...image.entrypoint, ...args]
  }
})

/** The digest of each file by its path, in order; a bill of materials has a time of its own. */
function filesUnder(root: string, folder: string): ReadonlyMap<string, string> {
  const paths = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    .toSorted()
  const digest = (path: string) =>
    path.endsWith('sbom.cdx.json')
      ? ''
      : createHash('sha256')
          .update(readFileSync(join(root, path)))
          .digest('hex')
  return new Map(paths.map((path) => [path, digest(path)]))
}
