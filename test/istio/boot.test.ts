import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import { readPolicyDirectory } from '../../src/policy/source/directory-source.ts'
import { mountPod } from '../support/kubelet.ts'
import { localSettings, untilReady } from '../support/pod.ts'
import { type KubeObject, renderHelm, renderKustomize, variants } from '../support/rendered.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

type Served = { readonly notices: readonly string[]; readonly segments: number }

describe('istio pod', () => {
  const started: ChildProcess[] = []

  afterEach(async () => {
    for (const child of started.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    }
  })

  for (const variant of variants) {
    it(`serves from the mounted objects of the overlay and of the chart: ${variant}`, async () => {
      for (const objects of [renderKustomize(variant), renderHelm(variant)]) {
        const { notices, segments } = await serve(objects)
        expect(notices.some((notice) => notice.startsWith('NOT ENFORCED'))).to.equal(variant === 'observe')
        expect(segments).to.equal(1)
      }
    })
  }

  it('mounts the policy repository file by file, each in the folder of its team', async () => {
    const { inPod } = mountPod(renderKustomize('enforce'), temporaryDirectory())
    const mounted = await readPolicyDirectory(inPod('/etc/waywarden/repository/policies'))
    const whole = await readPolicyDirectory('policies')
    if (!('files' in mounted && 'files' in whole)) throw new TypeError('expected files')
    expect([mounted.id, mounted.files]).to.deep.equal([whole.id, whole.files])
  })

  async function serve(objects: readonly KubeObject[]): Promise<Served> {
    const mounted = mountPod(objects, temporaryDirectory())
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...mounted.args], {
      env: { ...mounted.env, ...localSettings(mounted) },
    })
    started.push(child)
    const { notices } = await untilReady(child)
    const audit = readdirSync(mounted.inPod('/var/lib/waywarden/audit'))
    return { notices, segments: audit.filter((file) => file.endsWith('.ndjson')).length }
  }
})
