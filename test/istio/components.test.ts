import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { mountPod } from '../support/kubelet.ts'
import { findWorkload, settingOf } from '../support/mesh-findings.ts'
import { localSettings, untilReady } from '../support/pod.ts'
import { at, items, type Json, renderKustomize } from '../support/rendered.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('istio components', () => {
  let child: ChildProcess | undefined
  afterEach(async () => {
    if (child?.exitCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    child = undefined
  })

  const podOf = (objects: ReturnType<typeof renderKustomize>) =>
    at(findWorkload(objects), 'spec', 'template', 'spec')
  const nameOf = (item: Json) => at(item, 'name')
  /** Each mount that no volume stands behind. */
  const unmounted = (pod: Json, volumes: readonly Json[]) =>
    [...items(at(pod, 'containers')), ...items(at(pod, 'initContainers'))]
      .flatMap((container) => items(at(container, 'volumeMounts')))
      .filter((mount) => !volumes.some((volume) => nameOf(volume) === nameOf(mount)))

  it('git-sync: serves from the checkout to which the link leads', async () => {
    const objects = renderKustomize('git-sync')
    const mounted = mountPod(objects, temporaryDirectory())
    const directory = String(settingOf(objects, 'WAYWARDEN__POLICY__DIRECTORY'))
    checkOut(mounted.inPod('/etc/waywarden/git'))
    child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...mounted.args], {
      env: {
        ...mounted.env,
        ...localSettings(mounted),
        WAYWARDEN__POLICY__DIRECTORY: mounted.inPod(directory),
      },
    })
    await untilReady(child)
    expect(readdirSync(join(mounted.inPod('/var/lib/waywarden/audit'), 'revisions'))).to.have.length(1)
  })

  it('git-sync: has rights over the policies that Waywarden has not, and none over its keys', () => {
    const pod = podOf(renderKustomize('git-sync'))
    const [sync] = items(at(pod, 'initContainers'))
    const [waywarden] = items(at(pod, 'containers'))
    const mountOf = (container: Json, volume: string) =>
      items(at(container, 'volumeMounts')).find((mount) => nameOf(mount) === volume)
    expect(unmounted(pod, items(at(pod, 'volumes')))).to.deep.equal([])
    expect(at(mountOf(waywarden, 'git'), 'readOnly')).to.equal(true)
    expect(at(mountOf(sync, 'git'), 'readOnly')).to.equal(undefined)
    expect(mountOf(sync, 'keys')).to.equal(undefined)
    expect(mountOf(waywarden, 'git-secret')).to.equal(undefined)
    expect(at(sync, 'securityContext', 'runAsUser')).to.not.equal(at(pod, 'securityContext', 'runAsUser'))
    expect(at(sync, 'securityContext', 'readOnlyRootFilesystem')).to.equal(true)
    // This makes it a sidecar; otherwise the pod would wait for its end.
    expect(at(sync, 'restartPolicy')).to.equal('Always')
  })

  for (const overlay of ['volumes', 'everything'] as const) {
    it(`volumes: gives each replica a volume of its own, larger than what is kept on it: ${overlay}`, () => {
      const objects = renderKustomize(overlay)
      expect(objects.filter(({ kind }) => kind === 'Deployment')).to.deep.equal([])
      const spec = at(findWorkload(objects), 'spec')
      const claims = items(at(spec, 'volumeClaimTemplates'))
      const names = claims.map((claim) => ({ name: at(claim, 'metadata', 'name') ?? null }))
      const volumes = items(at(spec, 'template', 'spec', 'volumes'))
      expect(unmounted(podOf(objects), [...volumes, ...names])).to.deep.equal([])
      expect(volumes.map(nameOf)).to.not.include.members(names.map(nameOf))
      const gibibytes = (text: Json) => Number(/^(\d+)GiB?$/.exec(String(text))?.[1])
      const kept = gibibytes(settingOf(objects, 'WAYWARDEN__AUDIT__RETENTION__SIZE'))
      expect(kept).to.be.lessThan(gibibytes(at(claims[0], 'spec', 'resources', 'requests', 'storage')))
      expect(at(spec, 'persistentVolumeClaimRetentionPolicy')).to.deep.equal({
        whenDeleted: 'Retain',
        whenScaled: 'Retain',
      })
    })
  }
})

/** Checks the sample policies out, as git-sync lays them. */
function checkOut(root: string): void {
  const worktree = join('.worktrees', 'd7be0db0125e29905d1275db8096be55005d6292')
  cpSync('policies', join(root, worktree, 'policies'), { recursive: true })
  symlinkSync(worktree, join(root, 'current'))
}
