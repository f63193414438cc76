/** The objects of a test cluster, in kubectl's JSON; each part of an item can be overlaid. */
export type ClusterService = {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly spec?: Readonly<Record<string, unknown>>
}

/** One pod of a test cluster. */
export type ClusterPod = {
  readonly app: string
  readonly account?: string
  readonly namespace?: string
  readonly phase?: string
}

/** The labels that put a service behind the hospital's waypoint. */
export const behindWaypoint = {
  'istio.io/use-waypoint': 'waypoint',
  'istio.io/use-waypoint-namespace': 'hospital',
} as const

/** `kubectl get namespaces,services,pods -A -o json` of a cluster. */
export function kubectlJson(
  services: readonly ClusterService[],
  pods: readonly ClusterPod[] = [],
  namespaces: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[] = [],
): string {
  const items = [
    ...namespaces.map((metadata) => ({ apiVersion: 'v1', kind: 'Namespace', metadata, spec: {} })),
    ...services.map(toService),
    ...pods.map(({ app, account, namespace = 'hospital', phase = 'Running' }, index) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${app}-${index}`, namespace, labels: { app } },
      spec: { serviceAccountName: account ?? app, containers: [] },
      status: { phase, podIP: '10.244.0.7' },
    })),
  ]
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items, metadata: { resourceVersion: '' } })
}

function toService({ name, namespace = 'hospital', labels, spec }: ClusterService): object {
  const ports = [{ name: 'http', port: 8080, protocol: 'TCP', targetPort: 8080 }]
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: labels ?? behindWaypoint },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.10', selector: { app: name }, ports, ...spec },
  }
}
