import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ClusterMesh } from '../../scripts/mesh/mesh.ts'
import { until } from '../../scripts/mesh/shell.ts'
import { cluster } from './cluster.ts'
import { enrolAsReadmeSays, observingEnds } from './enrol.ts'
import { last, openGuide, page, type Reader, titles } from './follow.ts'
import { findRecord, playRecordedStory, playStory, readRecords } from './story.ts'

const { look, build, adapt, start, ask, enrol, enforce } = titles

describe(page, () => {
  let mesh: ClusterMesh
  let reader: Reader

  before(async function () {
    this.timeout(600_000)
    mesh = await cluster()
    reader = await openGuide()
  })

  it(look, async () => {
    const [versions, crd, ztunnel] = await until('ztunnel to be known to istiod', async () => {
      const found = await reader.follow(look, 0)
      return found[0]?.output.includes('data plane version: none') ? undefined : found
    })
    reader.sees(look, 'control plane and data plane both 1.30 or later, the CRD, and a ztunnel `READY`')
    for (const plane of ['control plane', 'data plane']) {
      const [, major, minor] =
        new RegExp(`^${plane} version: (\\d+)\\.(\\d+)`, 'm').exec(versions?.output ?? '') ?? []
      expect(Number(major) * 1000 + Number(minor), versions?.output).to.be.at.least(1030)
    }
    expect(crd?.output).to.contain('gateways.gateway.networking.k8s.io')
    expect(ztunnel?.output).to.match(/^ztunnel +1 +1 +1 /m)
  })

  it(build, () => {
    // The namespaces of this test reach no registry. The launcher has run the last line; test:image runs the others.
    expect(reader.follows(build, 0).at(-1)).to.equal('npm run sbom')
    reader.sees(build, 'MiB in /tree, beside the runtime image')
    expect(mesh.options.image.report).to.match(/^[\d.]+ MiB in .*, beside the runtime image$/)
    const bill = JSON.parse(
      readFileSync(join(mesh.options.image.folder, 'app', 'sbom.cdx.json'), 'utf8'),
    ) as {
      readonly bomFormat: string
    }
    expect(bill.bomFormat).to.equal('CycloneDX')
  })

  it(adapt, async () => {
    const [, keys] = await reader.follow(adapt, 0)
    reader.sees(
      adapt,
      '`created istio/base/keys/active.jwk.json; keep it secret, and give every replica the same`',
    )
    expect(keys?.output).to.contain(
      'created istio/base/keys/active.jwk.json; keep it secret, and give every replica the same',
    )
    for (const overlay of ['observe', 'enforce']) {
      const file = join(reader.mine, 'istio/overlays', overlay, 'kustomization.yaml')
      appendFileSync(
        file,
        'images:\n  - { name: waywarden, newName: registry.example/waywarden, newTag: 0.1.0 }\n',
      )
      writeFileSync(file, readFileSync(file, 'utf8').replace(/(OBSERVE__UNTIL=).*/, `$1${observingEnds}`))
    }
    const [check, objects] = await reader.follow(adapt, 1)
    reader.sees(adapt, '`policies` has no problem, and 15 objects')
    expect(check?.output).to.not.match(/problem|error/i)
    expect(objects?.output.trim()).to.equal('15')
  })

  it(start, async () => {
    const printed = await reader.follow(start, 0)
    reader.sees(
      start,
      '`deployment "waywarden" successfully rolled out` and `gateway.gateway.networking.k8s.io/waypoint condition met`',
    )
    expect(printed.at(-2)?.output).to.contain('deployment "waywarden" successfully rolled out')
    expect(last(printed)).to.contain('gateway.gateway.networking.k8s.io/waypoint condition met')
    const ready = await forwarded(() => reader.follow(start, 1))
    reader.sees(start, '`"ready":true` and two notices: `NOT ENFORCED until 2027-01-31: every service`')
    expect(ready).to.contain('"ready":true')
    const { notices } = JSON.parse(ready) as { readonly notices: readonly string[] }
    expect(notices).to.have.lengthOf(2)
    expect(notices.join('\n')).to.contain(`NOT ENFORCED until ${observingEnds}: every service`)
    expect(notices.join('\n')).to.contain("0.0.0.0:9191 takes plaintext; the mesh's L4 policy must guard it")
    // Observing changes nothing, and nobody asks yet.
    expect(await playStory(mesh, 'unguarded')).to.deep.equal([])
    expect(await readRecords(mesh)).to.deep.equal([])
  })

  it(ask, async () => {
    const provider = last(await reader.follow(ask, 0))
    reader.sees(ask, 'the provider with `timeout: 250ms`, `failOpen: false` and `statusOnError: "403"`')
    for (const line of ['timeout: 250ms', 'failOpen: false', 'statusOnError: "403"'])
      expect(provider).to.contain(line)
    const [listener, endpoints] = await until('the waypoint to ask', async () => {
      const found = await reader.follow(ask, 1, {}, /^istioctl proxy-config listener/)
      return Number(found[0]?.output) > 0 ? found : undefined
    })
    reader.sees(ask, 'a count above 0, and a cluster of type `EDS`')
    expect(Number(listener?.output)).to.be.above(0)
    expect(endpoints?.output).to.match(/waywarden\.waywarden\.svc\.cluster\.local +9191 .*\bEDS\b/)
  })

  it(enrol, async () => {
    const before = await podNames(mesh, 'billing')
    await reader.follow(enrol, 0)
    reader.sees(enrol, 'no pod restarts, every request works as before, and each one leaves a record')
    expect(await podNames(mesh, 'billing')).to.deep.equal(before)
    await until('records of a request that goes on and of one that would be denied', async () => {
      expect(await playStory(mesh, 'unguarded')).to.deep.equal([])
      await mesh
        .run('curl', [
          '--silent',
          '--fail-with-body',
          '-X',
          'POST',
          '-d',
          '{}',
          `${mesh.gatewayUrl}/billing-agent/tasks`,
        ])
        .catch(() => '')
      const outcomes = new Set((await readRecords(mesh)).map(({ outcome }) => outcome))
      return (outcomes.has('allow') && outcomes.has('observed')) || undefined
    })
    const [records, metrics] = await reader.follow(enrol, 1)
    expect(records?.output).to.match(/\d+ "outcome":"allow"/)
    expect(records?.output).to.match(/\d+ "outcome":"observed"/)
    expect(metrics?.output).to.match(/^waywarden_checks_total\{.*\} [1-9]/m)
  })

  it(enforce, async () => {
    for (const namespace of ['clinic', 'hospital']) await enrolAsReadmeSays(mesh, namespace)
    await reader.follow(enforce, 0)
    reader.sees(enforce, '`/readyz` no longer says `NOT ENFORCED`')
    const enforcing = await forwarded(
      () => reader.follow(start, 1),
      (ready) => !ready.includes('NOT ENFORCED'),
    )
    expect(enforcing).to.contain('"ready":true')
    await until('every step of the story as it should be', async () => {
      const problems = await playStory(mesh, 'enforced')
      if (problems.length > 0) throw new Error(problems.join('; '))
      return true
    })
    const denied = last(await reader.follow(enforce, 1))
    reader.sees(enforce, '`HTTP/1.1 403`, `content-type: application/problem+json`, and a body with `code`')
    expect(denied).to.match(/^HTTP\/1\.1 403/m)
    expect(denied).to.match(/^content-type: application\/problem\+json/im)
    const { code, decisionId } = JSON.parse(denied.slice(denied.indexOf('{'))) as {
      readonly code: string
      readonly decisionId: string
    }
    expect((await findRecord(mesh, decisionId)).code).to.equal(code)
    const way = { 'POD-IP-OF-patient-records': await podAddress(mesh, 'hospital', 'patient-records') }
    const around = last(await reader.follow(enforce, 2, way))
    reader.sees(enforce, 'exit code 56 or 52: ztunnel has closed the connection')
    expect(around.trim().split('\n').at(-1)).to.match(/^5[26]$/)
  })

  it('tells in its records who called, as the mesh proves it', async () => {
    expect(await playRecordedStory(mesh)).to.deep.equal([])
  })

  async function forwarded(
    act: () => Promise<readonly { readonly output: string }[]>,
    isExpected: (ready: string) => boolean = () => true,
  ): Promise<string> {
    // A person types more slowly than this test: `port-forward` may not listen yet, or still lead to the old pod.
    return until('the port of the admin page', async () => {
      const output = (await act()).at(-1)?.output ?? ''
      // kubectl in the background may still print what it forwards.
      const ready = /^\{"ready".*$/m.exec(output)?.[0]
      return ready !== undefined && isExpected(ready) ? ready : undefined
    })
  }
})

async function podNames(mesh: ClusterMesh, namespace: string): Promise<string> {
  return mesh.kubectl('-n', namespace, 'get', 'pods', '-o', 'jsonpath={.items[*].metadata.uid}')
}

async function podAddress(mesh: ClusterMesh, namespace: string, app: string): Promise<string> {
  return mesh.kubectl(
    '-n',
    namespace,
    'get',
    'pods',
    '-l',
    `app=${app}`,
    '-o',
    'jsonpath={.items[0].status.podIP}',
  )
}
