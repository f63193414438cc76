import { readFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import { services, waypoint, workloads } from '../../demo/world.ts'

/** A Kubernetes object of a test cluster. */
export type TestObject = {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [key: string]: unknown
}

/** A part of an object; `undefined` removes what stands there. */
export type Overlay = { readonly [key: string]: unknown }

/** A cluster with one thing changed. */
export type Mutation = (objects: readonly TestObject[]) => readonly TestObject[]

const annotation = 'ambient.istio.io/xfcc-include-client-identity'
const ours = { 'app.kubernetes.io/name': 'waywarden' }
const istioVersion = '1.30.4'
const agents = services.map(({ name, workload, vip, host }) => ({
  name,
  vip,
  namespace: host.split('.')[1] ?? '',
  account: workloads[workload].split('/').at(-1) ?? '',
}))
const enrolled = {
  'istio.io/dataplane-mode': 'ambient',
  'istio.io/use-waypoint': 'waypoint',
  'istio.io/use-waypoint-namespace': 'hospital',
  'istio.io/ingress-use-waypoint': 'true',
}

/** The hospital in a mesh that is set up as it should be: its own part, without Waywarden's. */
export function hospitalObjects(): readonly TestObject[] {
  return [
    ...['billing', 'clinic', 'hospital'].map((name) => object('Namespace', '', name, {}, enrolled)),
    ...['istio-ingress', 'istio-system'].map((name) => object('Namespace', '', name)),
    ...agents.flatMap(({ name, vip, namespace, account }) => [
      object('Service', namespace, name, {
        spec: {
          clusterIP: vip,
          clusterIPs: [vip],
          selector: { app: name },
          ports: [{ port: 8080, targetPort: 'http' }],
        },
      }),
      deployment(namespace, name, { app: name }, account, {
        image: `${name}:1`,
        ports: [{ name: 'http', containerPort: 8080 }],
      }),
    ]),
    deployment('istio-system', 'istiod', { app: 'istiod' }, 'istiod', {
      image: `docker.io/istio/pilot:${istioVersion}-distroless`,
    }),
    meshConfig(),
    object(
      'Pod',
      'hospital',
      'waypoint-5d8f',
      {
        spec: {
          serviceAccountName: 'waypoint',
          containers: [{ image: `docker.io/istio/proxyv2:${istioVersion}` }],
        },
      },
      { 'gateway.networking.k8s.io/gateway-name': 'waypoint' },
      { [annotation]: 'true' },
    ),
  ]
}

/** The whole: the hospital, its waypoint, Waywarden, and what closes the ways around. */
export function healthyCluster(): readonly TestObject[] {
  return [
    ...hospitalObjects(),
    object(
      'Gateway',
      'hospital',
      'waypoint',
      {
        spec: {
          gatewayClassName: 'istio-waypoint',
          listeners: [
            { name: 'mesh', port: 15008, protocol: 'HBONE', allowedRoutes: { namespaces: { from: 'All' } } },
          ],
        },
      },
      { 'istio.io/waypoint-for': 'service' },
      { [annotation]: 'true' },
    ),
    policy('hospital', 'ask-waywarden', {
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'waypoint' }],
      action: 'CUSTOM',
      provider: { name: 'waywarden' },
      rules: [{}],
    }),
    ...['billing', 'clinic', 'hospital'].flatMap((namespace) => [
      policy(namespace, 'only-waypoint', { action: 'ALLOW', rules: [fromWaypoint()] }),
      object('PeerAuthentication', namespace, 'strict', { spec: { mtls: { mode: 'STRICT' } } }),
    ]),
    object('Namespace', '', 'waywarden', {}, { 'istio.io/dataplane-mode': 'ambient' }),
    object('Service', 'waywarden', 'waywarden', {
      spec: { clusterIP: '10.96.9.9', selector: ours, ports: [{ port: 9191, targetPort: 9191 }] },
    }),
    deployment('waywarden', 'waywarden', ours, 'waywarden', {
      image: 'waywarden:0.1.0',
      ports: [{ containerPort: 9191 }],
    }),
    policy('waywarden', 'waywarden', {
      selector: { matchLabels: ours },
      action: 'ALLOW',
      rules: [{ ...fromWaypoint(), to: [{ operation: { ports: ['9191'] } }] }],
    }),
  ]
}

/** An AuthorizationPolicy. */
export function policy(namespace: string, name: string, spec: object): TestObject {
  return object('AuthorizationPolicy', namespace, name, { spec })
}

/** Any object. */
export function object(
  kind: string,
  namespace: string,
  name: string,
  body: Overlay = {},
  labels: Readonly<Record<string, string>> = {},
  annotations: Readonly<Record<string, string>> = {},
): TestObject {
  const place = namespace === '' ? {} : { namespace }
  return { kind, metadata: { name, ...place, labels, annotations }, ...body }
}

/** A Deployment whose pods run as `account`. */
export function deployment(
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  account: string,
  container: object,
): TestObject {
  const template = { metadata: { labels }, spec: { serviceAccountName: account, containers: [container] } }
  return object('Deployment', namespace, name, { spec: { template } })
}

/** A rule that lets the waypoint in. */
export function fromWaypoint(): object {
  return { from: [{ source: { principals: [waypoint.slice('spiffe://'.length)] } }] }
}

/** Lays `overlay` over the objects of that name, `Kind/namespace/name`; lists are replaced. */
export function change(id: string, overlay: Overlay): Mutation {
  return (objects) => {
    const changed = objects.map((one) => (idOf(one) === id ? (merge(one, overlay) as TestObject) : one))
    if (!objects.some((one) => idOf(one) === id)) throw new Error(`the cluster has no ${id}`)
    return changed
  }
}

/** Removes an object. */
export function remove(id: string): Mutation {
  return (objects) => {
    const rest = objects.filter((one) => idOf(one) !== id)
    if (rest.length === objects.length) throw new Error(`the cluster has no ${id}`)
    return rest
  }
}

/** Adds objects. */
export function add(...added: readonly TestObject[]): Mutation {
  return (objects) => [...objects, ...added]
}

/** Lays `overlay` over our provider of the mesh configuration; a whole list of providers replaces it. */
export function changeProvider(overlay: Overlay): Mutation {
  return change('ConfigMap/istio-system/istio', { data: { mesh: meshText(overlay) } })
}

/** Several changes. */
export function all(...mutations: readonly Mutation[]): Mutation {
  return (objects) => mutations.reduce((changed, mutate) => mutate(changed), objects)
}

/** `kubectl get … -o json`. */
export function toKubectlJson(objects: readonly TestObject[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
}

function meshConfig(): TestObject {
  return object('ConfigMap', 'istio-system', 'istio', { data: { mesh: meshText({}) } })
}

/** The fragment that we ship, as istiod's chart writes it into the cluster. */
function meshText(overlay: Overlay): string {
  const values: { readonly meshConfig: { readonly extensionProviders: readonly object[] } } = parse(
    readFileSync('istio/mesh-config.yaml', 'utf8'),
  )
  const { extensionProviders } = values.meshConfig
  const providers = extensionProviders.map((provider) => merge(provider, overlay))
  return stringify({ ...values.meshConfig, extensionProviders: providers })
}

function idOf({ kind, metadata }: TestObject): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`
}

function merge(base: unknown, overlay: unknown): unknown {
  if (!isTree(base) || !isTree(overlay)) return overlay
  const keys = [...new Set([...Object.keys(base), ...Object.keys(overlay)])]
  return Object.fromEntries(
    keys.map((key) => [key, Object.hasOwn(overlay, key) ? merge(base[key], overlay[key]) : base[key]]),
  )
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
