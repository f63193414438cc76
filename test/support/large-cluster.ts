import { parseKubectlOutput } from '../../src/base/document/kubectl-output.ts'
import { isInvalid } from '../../src/base/model/invalid.ts'
import { type ClusterView, toClusterView } from '../../src/doctor/cluster/view.ts'
import { type Catalog, parseCatalog } from '../../src/policy/catalog/catalog.ts'
import { deployment, object, policy, type TestObject, toKubectlJson } from './healthy-cluster.ts'

/** Which of a cluster's services share a namespace, and which a waypoint. */
export type Layout = {
  readonly namespaceOf: (index: number) => string
  readonly waypointOf: (index: number) => string
}

/** A cluster of many services, its catalog, and something wrong with each of them. */
export function largeCluster(
  count: number,
  { namespaceOf, waypointOf }: Layout,
): { readonly cluster: ClusterView; readonly catalog: Catalog } {
  const numbers = Array.from({ length: count }, (_, index) => index)
  const namespaces = new Set(numbers.map(namespaceOf))
  const objects: readonly TestObject[] = [
    ...[...namespaces].flatMap((namespace) => [
      object('Namespace', '', namespace, {}, { 'istio.io/dataplane-mode': 'ambient' }),
      policy(namespace, 'open', { action: 'ALLOW', rules: [{}] }),
    ]),
    ...[...new Set(numbers.map((index) => `${namespaceOf(index)}/${waypointOf(index)}`))].map((place) => {
      const [namespace = '', name = ''] = place.split('/')
      return object('Gateway', namespace, name, { spec: { gatewayClassName: 'istio-waypoint' } })
    }),
    ...numbers.flatMap((index) => toObjects(index, namespaceOf(index), waypointOf(index))),
  ]
  const parsed = parseKubectlOutput(toKubectlJson(objects))
  const services = numbers.map((index) => toEntry(index, namespaceOf(index), waypointOf(index)))
  const catalog = parseCatalog(JSON.stringify({ services }))
  if (isInvalid(parsed)) throw new TypeError(parsed.reason)
  if (!('services' in catalog)) throw new TypeError(JSON.stringify(catalog))
  return { cluster: toClusterView(parsed), catalog }
}

function toObjects(index: number, namespace: string, waypoint: string): readonly TestObject[] {
  const name = `s${index}`
  const labels = { app: name }
  const ip = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
  return [
    object(
      'Service',
      namespace,
      name,
      { spec: { clusterIP: ip, selector: labels, ports: [{ port: 80, targetPort: 'http' }] } },
      // Half of them; calls to the others go past the waypoint.
      index % 2 === 0 ? { 'istio.io/use-waypoint': waypoint } : {},
    ),
    deployment(namespace, name, labels, name, { image: 'a:1', ports: [{ name: 'http', containerPort: 80 }] }),
    object('Pod', namespace, `${name}-1`, { spec: { serviceAccountName: 'other' } }, labels),
    object('ServiceEntry', namespace, `e${index}`, {
      spec: { hosts: [`e${index}.example`], addresses: [`11${ip.slice(2)}`] },
    }),
    policy(namespace, `p${index}`, { action: 'CUSTOM', provider: { name: 'waywarden' }, rules: [{}] }),
  ]
}

function toEntry(index: number, namespace: string, waypoint: string): object {
  return {
    name: `s${index}`,
    addresses: [
      `s${index}.${namespace}.svc.cluster.local:81`,
      `e${index}.example:80`,
      `gone${index}.example:80`,
    ],
    spiffeId: `spiffe://hospital.example/ns/${namespace}/sa/s${index}`,
    waypoint: `spiffe://hospital.example/ns/${namespace}/sa/${waypoint}`,
  }
}
