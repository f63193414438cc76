import { groupBy } from '../base/collections/group-by.ts'
import { formatAddress } from '../base/http/address.ts'
import { toCanonicalIp } from '../base/http/ip-address.ts'
import type { TrustDomain } from '../base/model/spiffe-id.ts'
import { fewNames, listFew } from '../base/text/few.ts'
import type { KubernetesList, KubernetesService, ServicePort } from './kubernetes-list.ts'
import {
  accountsOf,
  type Cluster,
  indexCluster,
  labelOf,
  waypointLabel,
  waypointName,
} from './scaffold-cluster.ts'
import { formatServiceDrafts, type Noted, quote, type ServiceDraft } from './service-draft.ts'

/** Options of a scaffold. Without `namespace` it covers all but those of Kubernetes and Istio. */
export type ScaffoldOptions = { readonly trustDomain: TrustDomain; readonly namespace: string | undefined }

/** Lines of services.yaml, and the number of services in them. */
export type Scaffold = { readonly lines: readonly string[]; readonly services: number }

/** A drafted service, or the reason why it was skipped. */
type Outcome = Placed | Skipped
type Skipped = { readonly kind: 'skipped'; readonly why: string; readonly service: KubernetesService }
type Placed = {
  readonly kind: 'placed'
  readonly service: KubernetesService
  readonly ports: readonly ServicePort[]
  /** None of its ports speaks HTTP, and a waypoint asks about its connections. */
  readonly isTcp: boolean
  readonly accounts: readonly string[]
}

/** Indexes of the drafted services. */
type Drafted = {
  readonly byName: ReadonlyMap<string, readonly Placed[]>
  /** By namespace and first account. */
  readonly byAccount: ReadonlyMap<string, readonly Placed[]>
}

const clusterDomain = 'cluster.local'
const ownNamespaces: ReadonlySet<string> = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'istio-system',
])
const gatewayLabel = 'gateway.networking.k8s.io/gateway-name'
const appLabel = 'app.kubernetes.io/name'
const httpProtocols: ReadonlySet<string> = new Set(['http', 'http2', 'h2c', 'ws', 'grpc', 'grpc-web'])
const otherProtocols: ReadonlySet<string> = new Set([
  'tcp',
  'udp',
  'tls',
  'https',
  'wss',
  'mongo',
  'mysql',
  'redis',
  'hbone',
])
// Without a declared protocol a waypoint inspects the bytes, except on these ports, where it expects no HTTP.
const tcpPorts: ReadonlySet<number> = new Set([25, 53, 3306, 27017])
const head: readonly string[] = [
  'DRAFT from the cluster. Before it serves: give each service its `owner`, its `routes` and, where users or agents',
  'come in, `entry` and `forwards`; replace what says REPLACE. Without `routes` the action is the HTTP method.',
]

/** Drafts services.yaml from the services and pods of a cluster. */
export function draftCatalog(list: KubernetesList, options: ScaffoldOptions): Scaffold {
  const wanted = list.services.filter(({ metadata }) => isWanted(metadata.namespace, options))
  const cluster = indexCluster(list)
  const outcomes = wanted.map((service) => toOutcome(service, cluster))
  const placed = outcomes.filter((outcome) => outcome.kind === 'placed')
  const skipped = outcomes.filter((outcome) => outcome.kind === 'skipped')
  const notes = skipped.map(({ service, why }) => `left out: ${quote(nameOf(service, true))}, ${why}`)
  const drafted = indexDrafted(placed)
  const drafts = placed.map((each) => toDraft(each, drafted, cluster, options))
  return { lines: formatServiceDrafts(drafts, [...head, ...notes]), services: drafts.length }
}

function indexDrafted(placed: readonly Placed[]): Drafted {
  return {
    byName: groupBy(placed, ({ service }) => service.metadata.name),
    byAccount: groupBy(placed, accountKeyOf),
  }
}

function accountKeyOf({ service, accounts }: Placed): string {
  return JSON.stringify([service.metadata.namespace, accounts[0]])
}

function isWanted(namespace = 'default', options: ScaffoldOptions): boolean {
  return options.namespace === undefined ? !ownNamespaces.has(namespace) : namespace === options.namespace
}

function toOutcome(service: KubernetesService, cluster: Cluster): Outcome {
  const { spec, metadata } = service
  const skip = (why: string): Outcome => ({ kind: 'skipped', service, why })
  if (metadata.labels?.[gatewayLabel] !== undefined) return skip('the proxy of a Gateway')
  if (spec.selector?.[appLabel] === 'waywarden')
    return skip('Waywarden itself, which judges no call to itself')
  if (spec.type === 'ExternalName') return skip('an ExternalName, which has no address of its own')
  if (addressesOf(service).length === 0)
    return skip('headless: requests go to its pods, and no waypoint sees a service address')
  if (Object.keys(spec.selector ?? {}).length === 0) return skip('it selects no pods')
  if (waypointName(service, cluster) === 'none') return skip(`\`${waypointLabel}: none\``)
  const accounts = accountsOf(service, cluster)
  const http = (spec.ports ?? []).filter((port) => protocolOf(port) !== 'other')
  if (http.length > 0) return { kind: 'placed', service, ports: http, isTcp: false, accounts }
  const tcp = (spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP')
  // Only a waypoint asks about a connection.
  if (tcp.length > 0 && waypointName(service, cluster) !== undefined)
    return { kind: 'placed', service, ports: tcp, isTcp: true, accounts }
  return skip('every port says by its name or `appProtocol` that it is no HTTP')
}

function addressesOf({ spec }: KubernetesService): readonly string[] {
  const addresses = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])
  const given = addresses.filter((address) => address !== '' && address !== 'None')
  return [...new Set(given.map(toCanonicalIp))]
}

/** Selects a port's protocol like Istio: by `appProtocol`, else by the prefix of its name. */
export function protocolOf({
  name = '',
  port,
  protocol = 'TCP',
  appProtocol,
}: ServicePort): 'http' | 'detected' | 'other' {
  if (protocol !== 'TCP') return 'other'
  const declared = appProtocol?.replace('kubernetes.io/', '') ?? name.split('-')[0] ?? ''
  if (httpProtocols.has(declared.toLowerCase())) return 'http'
  return otherProtocols.has(declared.toLowerCase()) || tcpPorts.has(port) ? 'other' : 'detected'
}

function toDraft(
  each: Placed,
  drafted: Drafted,
  cluster: Cluster,
  { trustDomain }: ScaffoldOptions,
): ServiceDraft {
  const { service, ports, isTcp, accounts } = each
  const namespace = service.metadata.namespace ?? 'default'
  const hosts = [`${service.metadata.name}.${namespace}.svc.${clusterDomain}`, ...addressesOf(service)]
  const hasNamesake = (drafted.byName.get(service.metadata.name) ?? []).length > 1
  const [account] = accounts
  return {
    name: { value: nameOf(service, hasNamesake) },
    addresses: ports.flatMap(({ port }) => hosts.map((host) => formatAddress(host, port))),
    spiffeId: {
      value: `spiffe://${trustDomain}/ns/${namespace}/sa/${account ?? `REPLACE-${service.metadata.name}`}`,
      note: account === undefined ? 'no running pod says which service account' : undefined,
    },
    waypoint: toWaypoint(service, cluster, trustDomain),
    entry: { value: false, note: 'true if users come in here' },
    forwards: { value: false, note: 'true if it calls other services' },
    isTcp,
    routes: [],
    notes: [
      ...(service.spec.ports ?? []).filter((port) => !isTcp || !ports.includes(port)).flatMap(portNotes),
      ...(accounts.length > 1
        ? [
            `several service accounts behind it: ${listFew(accounts.slice(0, fewNames).map(quote), accounts.length)}; one service is one identity`,
          ]
        : []),
      ...sharedNotes(each, drafted),
    ],
  }
}

function portNotes(port: ServicePort): readonly string[] {
  const name = `port ${port.port}${port.name === undefined ? '' : ` (${quote(port.name)})`}`
  switch (protocolOf(port)) {
    case 'http':
      return []
    case 'detected':
      return [`${name} says no protocol, and Istio guesses: call it \`http-...\` or set \`appProtocol\``]
    case 'other':
      return port.protocol === undefined || port.protocol === 'TCP'
        ? [`${name} left out: no HTTP; to let connections in, give it an entry of its own with \`tcp: true\``]
        : [`${name} left out: no HTTP`]
  }
}

function toWaypoint(service: KubernetesService, cluster: Cluster, trustDomain: TrustDomain): Noted {
  const namespace = service.metadata.namespace ?? 'default'
  const name = waypointName(service, cluster)
  if (name === undefined) {
    return {
      value: `spiffe://${trustDomain}/ns/${namespace}/sa/REPLACE-waypoint`,
      note: `no \`${waypointLabel}\` label; its namespace may have one (kubectl get namespaces,services,pods)`,
    }
  }
  const place = labelOf(service, `${waypointLabel}-namespace`, cluster) ?? namespace
  return {
    value: `spiffe://${trustDomain}/ns/${place}/sa/${name}`,
    note: `of the Gateway ${quote(name)}, whose service account has its name`,
  }
}

function sharedNotes(each: Placed, { byAccount }: Drafted): readonly string[] {
  const [account] = each.accounts
  const all = byAccount.get(accountKeyOf(each)) ?? []
  if (account === undefined || all.length < 2) return []
  // One more than are listed, because the service itself may be included.
  const twins = all.slice(0, fewNames + 1).filter((other) => other !== each)
  const names = listFew(
    twins.map(({ service }) => quote(nameOf(service, false))),
    all.length - 1,
  )
  return [
    `shares the service account ${quote(account)} with ${names}: give each its own, or say on both why they may share it:`,
    '  shared: "why"',
  ]
}

function nameOf({ metadata }: KubernetesService, withNamespace: boolean): string {
  return withNamespace ? `${metadata.name}.${metadata.namespace ?? 'default'}` : metadata.name
}
