import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { stringify } from 'yaml'
import type { ClusterMesh } from '../../scripts/mesh/mesh.ts'
import { until } from '../../scripts/mesh/shell.ts'
import { cluster } from './cluster.ts'
import { diagnose } from './diagnosis.ts'
import { openGuide, type Reader, titles } from './follow.ts'
import { playStory } from './story.ts'
import { callFrom } from './workload.ts'

const records = 'http://patient-records.hospital:8080/patients/7'
const insurance = 'http://insurance.hospital:8080/coverage/p-7'

describe('a mesh that Waywarden guards', () => {
  let mesh: ClusterMesh
  let reader: Reader

  before(async () => {
    mesh = await cluster()
    reader = await openGuide()
  })

  it('is healthy, and istioctl finds no more than the guide says', async () => {
    await replicasReady(3)
    const found = await diagnose(mesh, reader.mine)
    expect(found.text).to.equal('')
    expect(found).to.include({ healthy: true, exitCode: 0 })
    const analysis = await mesh.run('bash', ['-c', 'istioctl analyze -A 2>&1 || true'])
    const codes = analysis.split('\n').flatMap((line) => {
      // The settings that the test mesh needs because its Envoy is not Istio's.
      const isOurs = !line.includes('EnvoyFilter istio-system/plain-envoy')
      return isOurs ? (/\[(IST\d+)\]/.exec(line)?.[1] ?? []) : []
    })
    // IST0102: a namespace without sidecar injection, which a namespace of an ambient mesh does not need.
    expect(
      [...new Set(codes)].filter((code) => code !== 'IST0102'),
      analysis,
    ).to.deep.equal(['IST0108'])
  })

  it('answers as it should while every pod is replaced', async () => {
    const problems: string[] = []
    let rounds = 0
    let isOver = false
    const load = Promise.all(
      [1, 2].map(async () => {
        while (!isOver) {
          problems.push(...(await playStory(mesh, 'enforced')))
          rounds++
        }
      }),
    )
    try {
      await mesh.kubectl('-n', 'waywarden', 'rollout', 'restart', 'deployment/waywarden')
      await mesh.kubectl('-n', 'waywarden', 'rollout', 'status', 'deployment/waywarden', '--timeout=170s')
    } finally {
      isOver = true
      await load
    }
    expect(problems).to.deep.equal([])
    expect(rounds).to.be.above(5)
  })

  it('refuses everything when it is scaled to zero, and doctor says why', async () => {
    await mesh.kubectl('-n', 'waywarden', 'scale', 'deployment/waywarden', '--replicas=0')
    await until('no pod to be left', async () =>
      mesh.node.find('waywarden', 'waywarden').length === 0 ? true : undefined,
    )
    expect(await callFrom(mesh, 'insurance-agent', insurance)).to.equal('403 ')
    const found = await diagnose(mesh, reader.mine)
    expect(found.ids, found.text).to.include('no_replicas')
    expect(found).to.include({ healthy: false, exitCode: 1 })
    await mesh.kubectl('-n', 'waywarden', 'scale', 'deployment/waywarden', '--replicas=3')
    await replicasReady(3)
    await asEnforced()
  })

  it('refuses everything while every process hangs, and doctor says why', async () => {
    const pids = mesh.node
      .find('waywarden', 'waywarden')
      .map(({ pod }) => pod.pidOf('waywarden'))
      .filter((pid) => pid !== undefined)
    expect(pids).to.have.lengthOf(3)
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    try {
      expect(await callFrom(mesh, 'insurance-agent', insurance)).to.equal('403 ')
      await until('the probes to fail', async () =>
        (await diagnose(mesh, reader.mine)).ids.includes('no_replica_ready') ? true : undefined,
      )
      const found = await diagnose(mesh, reader.mine)
      expect(found).to.include({ healthy: false, exitCode: 1 })
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT')
    }
    await replicasReady(3)
    await asEnforced()
  })

  it('takes up another signing key without a restart, and no chain breaks', async () => {
    const list = join(reader.mine, 'istio/base/kustomization.yaml')
    const before = podNames()
    for (const key of ['next', 'previous']) {
      await mesh.run('waywarden', ['keys', 'rotate', 'istio/base/keys'], reader.mine)
      const text = readFileSync(list, 'utf8').replace(/ {6}- keys\/(?:next|previous)\.jwk\.json\n/, '')
      writeFileSync(list, text.replace(/( {6}- keys\/)active(\.jwk\.json\n)/, `$&$1${key}$2`))
      await applied()
      await until(`two keys on every replica, \`${key}\` among them`, async () => {
        expect(await playStory(mesh, 'enforced')).to.deep.equal([])
        const active = JSON.parse(
          readFileSync(join(reader.mine, 'istio/base/keys/active.jwk.json'), 'utf8'),
        ) as { readonly kid: string }
        const pages = await adminPages('/metrics')
        const known = await adminPages('/.well-known/jwks.json')
        const isTaken =
          pages.every((page) => page.includes(`waywarden_signing_key_info{kid="${active.kid}"} 1`)) &&
          known.every((page) => (JSON.parse(page) as { readonly keys: object[] }).keys.length === 2)
        return isTaken || undefined
      })
    }
    expect(podNames()).to.deep.equal(before)
  })

  it('takes up a changed policy without a restart', async () => {
    const file = join(reader.mine, 'policies/insurance-team/insurance.cedar')
    const before = readFileSync(file, 'utf8')
    writeFileSync(file, before.replace(/@id\("for-clerks"\)[\s\S]*$/, ''))
    await applied()
    await differs(['d-checks-insurance: expected 200, found 403 policy_denied'])
    writeFileSync(file, before)
    await applied()
    await asEnforced()
  })

  it('takes up a revocation and its end without a restart', async () => {
    const file = join(reader.mine, 'istio/base/config/revocations.json')
    const before = readFileSync(file, 'utf8')
    const actor = 'spiffe://hospital.example/ns/clinic/sa/agent-r'
    writeFileSync(file, JSON.stringify({ version: 1, entries: [{ actor }] }))
    await applied()
    await differs([
      'clinician-reads-record: expected 200, found 403 chain_revoked',
      'clerk-uses-r: expected 403 policy_denied, found 403 chain_revoked',
    ])
    writeFileSync(file, before)
    await applied()
    await asEnforced()
  })

  it('lets nobody get around the waypoint or speak in its place', async () => {
    const address = async (namespace: string, app: string): Promise<string> =>
      (
        await mesh.kubectl(
          ...['-n', namespace, 'get', 'pods', '-o', `jsonpath={.items[0].status.podIP}`],
          ...['-l', app],
        )
      ).trim()
    const own = await address('waywarden', 'app.kubernetes.io/name=waywarden')
    const attempts: readonly (readonly [string, string])[] = [
      ['insurance-agent', `http://${await address('hospital', 'app=patient-records')}:8080/patients/7`],
      // A workload that reaches the port can claim any caller.
      ['insurance-agent', `http://${own}:9191/`],
      ['insurance-agent', 'http://waywarden.waywarden:9191/'],
      ['insurance-agent', `http://${own}:9192/metrics`],
    ]
    for (const [from, url] of attempts) expect(await callFrom(mesh, from, url), url).to.equal('closed')
    // A pod without the mesh has no identity: it reaches the page of metrics alone.
    expect(await callFrom(mesh, 'scraper', records)).to.equal('closed')
    expect(await callFrom(mesh, 'scraper', `http://${own}:9191/`)).to.equal('closed')
    expect(await callFrom(mesh, 'scraper', `http://${own}:9192/metrics`)).to.match(/^200 .*waywarden_/s)
  })

  it('refuses everything when its provider is gone, and doctor says why', async () => {
    const values = join(mesh.options.directory, 'no-provider.yaml')
    writeFileSync(values, stringify({ meshConfig: { extensionProviders: [] } }))
    const upgrade = ['upgrade', 'istiod', 'istio/istiod', '-n', 'istio-system', '--reuse-values', '-f']
    await mesh.run('helm', [...upgrade, values])
    await until('the waypoint to refuse', async () =>
      (await callFrom(mesh, 'insurance-agent', insurance)) === '403 RBAC: access denied' ? true : undefined,
    )
    const found = await diagnose(mesh, reader.mine)
    expect(found.ids, found.text).to.include('provider_missing')
    expect(found).to.include({ healthy: false, exitCode: 1 })
    await reader.follow(titles.ask, 0)
    await asEnforced()
  })

  it('knows no caller when the annotation is gone, and doctor says why', async () => {
    const annotation = 'ambient.istio.io/xfcc-include-client-identity'
    await mesh.kubectl('-n', 'hospital', 'annotate', 'gateway/waypoint', `${annotation}-`)
    await until('the waypoint to say no more who calls', async () =>
      /^403 .*peer_missing/.test(await callFrom(mesh, 'insurance-agent', insurance)) ? true : undefined,
    )
    const found = await diagnose(mesh, reader.mine)
    expect(found.ids, found.text).to.include('annotation_missing')
    expect(found).to.include({ healthy: false, exitCode: 1 })
    await applied()
    await asEnforced()
  })

  function applied(): Promise<string> {
    return mesh.run('kubectl', ['apply', '-k', 'istio/overlays/enforce'], reader.mine)
  }

  async function asEnforced(): Promise<void> {
    await differs([])
  }

  /** Waits until the story differs from what it should be by exactly this. */
  async function differs(wanted: readonly string[]): Promise<void> {
    await until(`the story with ${wanted.join('; ') || 'every step as it should be'}`, async () => {
      expect(await playStory(mesh, 'enforced')).to.deep.equal(wanted)
      return true
    })
  }

  async function replicasReady(count: number): Promise<void> {
    await until(`${count} ready replicas`, async () => {
      const path = 'jsonpath={.status.readyReplicas}'
      const ready = await mesh.kubectl('-n', 'waywarden', 'get', 'deployment/waywarden', '-o', path)
      return Number(ready) === count ? true : undefined
    })
  }

  function podNames(): readonly string[] {
    return mesh.node
      .find('waywarden', 'waywarden')
      .map(({ name }) => name)
      .sort()
  }

  /** A page of every replica, asked as the kubelet does: from the node, without the mesh. */
  function adminPages(page: string): Promise<readonly string[]> {
    return Promise.all(
      mesh.node
        .find('waywarden', 'waywarden')
        .map(async ({ pod }) => (await fetch(`http://${pod.address}:9192${page}`)).text()),
    )
  }
})
