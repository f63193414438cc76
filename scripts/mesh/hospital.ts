import { stringify } from 'yaml'
import { services, type Workload, workloads } from '../../demo/world.ts'

const gatewayAddress = '10.96.0.30'

/** Where users' requests enter, from the node. */
export const gatewayUrl: string = `http://${gatewayAddress}:8080`

/** The hospital as Kubernetes objects: what runs before Waywarden comes. */
export function hospitalManifests(): string {
  const namespaces = [...new Set(Object.values(workloads).map((id) => namespaceOf(id)))]
  const objects = [
    ...[...namespaces, 'monitoring'].map(toNamespace),
    ...services.flatMap(({ name, workload, vip, vipPort }) => toObjects(name, workload, vip, vipPort)),
    ...toObjects('gateway', 'gateway', gatewayAddress, 8080),
    ...toDeployment({
      name: 'scraper',
      namespace: 'monitoring',
      account: 'scraper',
      image: 'quay.io/prometheus/prometheus',
      port: 8080,
    }),
  ]
  return objects.map((object) => stringify(object)).join('---\n')
}

function toNamespace(name: string): object {
  // The gateway proves who it is from the beginning, as Istio's own ingress gateways do.
  const labels = name === 'istio-ingress' ? { 'istio.io/dataplane-mode': 'ambient' } : {}
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}

function toObjects(name: string, workload: Workload, clusterIP: string, port: number): readonly object[] {
  const id = workloads[workload]
  const namespace = namespaceOf(id)
  const account = id.slice(id.lastIndexOf('/') + 1)
  const image = `hospital/${workload.startsWith('agent-') ? 'agent' : workload}`
  return [
    ...toDeployment({ name, namespace, account, image, port }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { clusterIP, selector: { app: name }, ports: [{ name: 'http', port, targetPort: port }] },
    },
  ]
}

function toDeployment(pod: {
  readonly name: string
  readonly namespace: string
  readonly account: string
  readonly image: string
  readonly port: number
}): readonly object[] {
  const { name, namespace, account, image, port } = pod
  const labels = { app: name }
  const container = {
    name: 'app',
    image,
    env: [
      { name: 'PORT', value: String(port) },
      { name: 'HOST', value: '0.0.0.0' },
      { name: 'JWKS', value: '/idp/jwks.json' },
    ],
    ports: [{ containerPort: port }],
    readinessProbe: { httpGet: { path: '/healthz', port }, periodSeconds: 2 },
  }
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { serviceAccountName: account, automountServiceAccountToken: false, containers: [container] },
        },
      },
    },
  ]
}

function namespaceOf(id: string): string {
  return /\/ns\/([^/]+)\//.exec(id)?.[1] ?? ''
}
