import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ClusterMesh } from '../../scripts/mesh/mesh.ts'
import { until } from '../../scripts/mesh/shell.ts'
import { type Change, type ObjectPath, whileChanged } from './changes.ts'
import { cluster } from './cluster.ts'
import { diagnose } from './diagnosis.ts'
import { openGuide, type Reader } from './follow.ts'

const gateway: ObjectPath = ['hospital', 'gateway/waypoint']
const asking: ObjectPath = ['hospital', 'authorizationpolicy/ask-waywarden']
const settings: ObjectPath = ['waywarden', 'configmap/waywarden-settings']
const ownPolicy: ObjectPath = ['waywarden', 'authorizationpolicy/waywarden']
const billing: ObjectPath = ['billing', 'namespace/billing']
const annotation = 'ambient.istio.io/xfcc-include-client-identity'

const patch = (object: ObjectPath, body: object): Change => ({ kind: 'patch', object, patch: body })
const labelled = (object: ObjectPath, labels: object): Change => patch(object, { metadata: { labels } })
const meshEdited = (from: string | RegExp, to: string): Change => ({
  kind: 'mesh',
  edit: (text) => text.replace(from, to),
})
const set = (name: string, value: string): Change =>
  patch(settings, { data: { [`WAYWARDEN__LISTENERS__0__${name}`]: value } })

/** Each finding that one change of a real cluster brings about. */
const provoked: Readonly<Record<string, Change>> = {
  annotation_value: patch(gateway, { metadata: { annotations: { [annotation]: 'yes' } } }),
  annotation_ignored: patch(gateway, { spec: { infrastructure: { annotations: { 'example/a': 'b' } } } }),
  metadata_missing: set('PEER', 'metadata'),
  peer_principal: set('PEER', 'principal'),
  provider_port: set('ADDRESS', '0.0.0.0:9291'),
  provider_service: meshEdited('service: waywarden.waywarden.svc', 'service: waywarden.elsewhere.svc'),
  provider_unknown: patch(asking, { spec: { provider: { name: 'waywaredn' } } }),
  fail_open: meshEdited('failOpen: false', 'failOpen: true'),
  timeout_missing: meshEdited(/\n *timeout: 250ms/, ''),
  timeout_long: meshEdited('timeout: 250ms', 'timeout: 30s'),
  timeout_short: meshEdited('timeout: 250ms', 'timeout: 100ms'),
  status_on_error: meshEdited('statusOnError: "403"', 'statusOnError: "200"'),
  policy_missing: { kind: 'delete', object: asking },
  policy_not_attached: patch(asking, {
    spec: { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'other' }] },
  }),
  policy_selector: patch(asking, { spec: { targetRefs: null, selector: { matchLabels: { app: 'a' } } } }),
  policy_service_only: patch(asking, {
    spec: { targetRefs: [{ group: '', kind: 'Service', name: 'insurance' }] },
  }),
  policy_rules_missing: patch(asking, { spec: { rules: null } }),
  policy_partial: patch(asking, { spec: { rules: [{ to: [{ operation: { paths: ['/coverage/*'] } }] }] } }),
  not_ambient: labelled(billing, { 'istio.io/dataplane-mode': null }),
  not_enrolled: labelled(billing, { 'istio.io/use-waypoint': null }),
  ingress_bypasses: labelled(billing, { 'istio.io/ingress-use-waypoint': null }),
  bypass_open: { kind: 'delete', object: ['clinic', 'authorizationpolicy/only-waypoint'] },
  mtls_not_strict: { kind: 'delete', object: ['clinic', 'peerauthentication/strict'] },
  port_open: { kind: 'delete', object: ownPolicy },
  waypoint_shut_out: patch(ownPolicy, {
    spec: { rules: [{ from: [{ source: { principals: ['hospital.example/ns/other/sa/waypoint'] } }] }] },
  }),
  object_refused: patch(ownPolicy, {
    spec: { rules: [{ to: [{ operation: { ports: ['9191'], paths: ['/envoy*'] } }] }] },
  }),
  host_network: {
    kind: 'create',
    object: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'insurance-on-host', namespace: 'hospital' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'insurance', on: 'host' } },
        template: {
          metadata: { labels: { app: 'insurance', on: 'host' } },
          spec: {
            serviceAccountName: 'insurance',
            hostNetwork: true,
            containers: [{ name: 'app', image: 'hospital/insurance' }],
          },
        },
      },
    },
  },
  service_missing: newService('ledger', 'http'),
  tcp_denied: newService('database', 'tcp-postgres'),
  guard_cuts_off: newService('redis', 'tcp-redis', { 'istio.io/use-waypoint': 'none' }),
  waypoint_for: labelled(gateway, { 'istio.io/waypoint-for': 'workload' }),
  waypoint_not_shared: patch(gateway, {
    spec: {
      listeners: [
        { name: 'mesh', port: 15008, protocol: 'HBONE', allowedRoutes: { namespaces: { from: 'Same' } } },
      ],
    },
  }),
}

/** Each finding that a catalog brings about which does not fit the real cluster. */
const mistaken: Readonly<Record<string, (catalog: string) => string>> = {
  address_unknown: (text) => text.replace('insurance.hospital.svc', 'insurances.hospital.svc'),
  port_unknown: (text) => text.replace('insurance.hospital.svc.cluster.local:8080', '$&1'),
  vip_differs: (text) => text.replace('10.96.0.10:8080', '10.96.0.12:8080'),
  identity_differs: (text) => text.replace('ns/hospital/sa/insurance', 'ns/hospital/sa/insurer'),
  waypoint_absent: (text) => text.replace('ns/hospital/sa/waypoint', 'ns/hospital/sa/other'),
}

describe('doctor, on the objects of a real cluster', () => {
  let mesh: ClusterMesh
  let reader: Reader

  before(async () => {
    mesh = await cluster()
    reader = await openGuide()
  })

  for (const [id, change] of Object.entries(provoked)) {
    it(`finds ${id}`, async () => {
      await whileChanged(mesh, change, () => finds(reader.mine, id))
    })
  }

  for (const [id, mistake] of Object.entries(mistaken)) {
    it(`finds ${id}`, async () => {
      const repository = join(mesh.options.directory, 'mistaken')
      cpSync(join(reader.mine, 'policies'), join(repository, 'policies'), { recursive: true })
      const file = join(repository, 'policies/services.yaml')
      const text = readFileSync(file, 'utf8')
      expect(mistake(text)).to.not.equal(text)
      writeFileSync(file, mistake(text))
      await finds(repository, id)
      rmSync(repository, { recursive: true })
    })
  }

  it('finds nothing when everything is as it was', async () => {
    await until('a healthy mesh', async () => {
      expect((await diagnose(mesh, reader.mine)).text).to.equal('')
      return true
    })
  })

  /** A controller may have to write a status first. */
  async function finds(repository: string, id: string): Promise<void> {
    await until(
      `doctor to find ${id}`,
      async () => {
        const found = await diagnose(mesh, repository)
        expect(found.ids, found.text).to.include(id)
        return true
      },
      20_000,
    )
  }
})

function newService(name: string, port: string, labels: object = {}): Change {
  return {
    kind: 'create',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'hospital', labels },
      spec: { selector: { app: 'insurance' }, ports: [{ name: port, port: 5432, targetPort: 8080 }] },
    },
  }
}
