import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { stringify } from 'yaml'
import {
  deployment,
  fromWaypoint,
  hospitalObjects,
  object,
  type TestObject,
} from '../support/healthy-cluster.ts'
import { type KubeObject, type Overlay, renderKustomize } from '../support/rendered.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { run } from '../support/terminal.ts'

/** The fields that the API server adds to a Service without an address. */
const clusterIp = '10.96.9.9'

describe('istio, as the doctor sees it', () => {
  for (const variant of ['enforce', 'metadata', 'everything'] as const) {
    it(`finds nothing wrong with the hospital and the overlay: ${variant}`, async () => {
      expect(await examine(variant)).to.deep.equal({ code: 0, found: [] })
    })
  }

  it('only warns of open ways while the overlay observes', async () => {
    const { code, found } = await examine('observe')
    expect(code).to.equal(0)
    expect([...new Set(found)]).to.deep.equal(['warning bypass_open', 'warning mtls_not_strict'])
  })

  for (const mode of ['ambient', 'none']) {
    it(`lets a Prometheus scrape Waywarden whose namespace is \`dataplane-mode: ${mode}\``, async () => {
      const prometheus = [
        object('Namespace', '', 'monitoring', {}, { 'istio.io/dataplane-mode': mode }),
        deployment('monitoring', 'prometheus', { app: 'prometheus' }, 'prometheus', {
          image: 'quay.io/prometheus/prometheus:v3.8.0',
        }),
      ]
      expect(await examine('enforce', undefined, prometheus)).to.deep.equal({ code: 0, found: [] })
      const own = 'AuthorizationPolicy/waywarden/waywarden'
      const guard = object('AuthorizationPolicy', 'waywarden', 'only-waypoint', {
        spec: { action: 'ALLOW', rules: [fromWaypoint()] },
      })
      const cut = await examine('enforce', own, [...prometheus, guard])
      expect(cut.found).to.deep.equal(['warning guard_cuts_off_scraping'])
    })
  }

  for (const { id, want } of [
    { id: 'AuthorizationPolicy/hospital/ask-waywarden', want: ['error policy_missing'] },
    { id: 'AuthorizationPolicy/clinic/only-waypoint', want: ['error bypass_open'] },
    { id: 'AuthorizationPolicy/waywarden/waywarden', want: ['error port_open'] },
    { id: 'PeerAuthentication/billing/strict', want: ['warning mtls_not_strict'] },
    { id: 'EnvoyFilter/hospital/ask-waywarden-metadata', want: ['error metadata_missing'] },
  ]) {
    it(`misses ${id}`, async () => {
      expect((await examine('metadata', id)).found).to.deep.equal(want)
    })
  }
})

/** Applies an overlay to the hospital, without one object, and lets the doctor look at the whole. */
async function examine(
  variant: Overlay,
  without?: string,
  added: readonly TestObject[] = [],
): Promise<{ readonly code: number; readonly found: readonly string[] }> {
  const objects: readonly (TestObject | KubeObject)[] = [
    ...hospitalObjects(),
    ...renderKustomize(variant),
    ...added,
  ]
  const kept = objects.filter((object) => idOf(object) !== without).map(admitted)
  if (without !== undefined) expect(kept).to.have.length(objects.length - 1)
  const file = join(temporaryDirectory(), 'objects.yaml')
  writeFileSync(file, kept.map((object) => stringify(object)).join('---\n'))
  const { code, out, err } = await run(['doctor', '--kubectl', file, '--json'])
  expect(err).to.equal('')
  const { findings }: { readonly findings: readonly { readonly severity: string; readonly id: string }[] } =
    JSON.parse(out)
  return { code, found: findings.map(({ severity, id }) => `${severity} ${id}`) }
}

function admitted(object: TestObject | KubeObject): object {
  if (idOf(object) !== 'Service/waywarden/waywarden') return object
  const spec = object['spec']
  return { ...object, spec: { ...(typeof spec === 'object' ? spec : {}), clusterIP: clusterIp } }
}

function idOf(object: TestObject | KubeObject): string {
  // Both are Kubernetes objects; only the one is typed so.
  const { kind, metadata } = object as TestObject
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`
}
