import { formatAddress } from '../base/http/address.ts'
import type { Catalog, CatalogService } from '../policy/catalog/catalog.ts'
import { indexCluster } from './cluster/cluster-index.ts'
import { findByHost, keyOf, locate } from './cluster/guarded.ts'
import type { ClusterView, KubeService } from './cluster/view.ts'
import type { Finding, Rule } from './finding.ts'

/** Checks that the catalog's addresses lead to existing services, each to one only. */
export const addressRule: Rule = (cluster, _, catalog) => {
  if (catalog === undefined || cluster.services.length === 0) return []
  const findings = locate(cluster, catalog).flatMap(({ service, kube }) =>
    serviceFindings(cluster, service, kube),
  )
  return [...findings, ...sharedVips(cluster, catalog)]
}

/** The addresses that DNS has for the catalog's names; `undefined` for an unknown name. */
export function dnsFindings(answers: ReadonlyMap<string, readonly string[] | undefined>): readonly Finding[] {
  return [...answers]
    .filter(([, addresses]) => addresses === undefined || addresses.length === 0)
    .map(([name]) => ({
      id: 'dns_unresolved' as const,
      severity: 'error' as const,
      what: `\`${name}\` resolves to nothing here`,
      where: 'services.yaml',
      why: 'Waywarden finds a service by the address that its name has; without one its requests are denied with `service_unknown`',
      fix: `getent hosts ${name}   # from a pod of the cluster; then correct the address in services.yaml`,
    }))
}

function serviceFindings(
  cluster: ClusterView,
  service: CatalogService,
  kube: KubeService | undefined,
): readonly Finding[] {
  const where = `services.yaml:${service.line} ${service.name}`
  const common = { severity: 'error' as const, where }
  if (kube?.hasNoVip)
    return [
      {
        ...common,
        id: 'headless',
        what: `Service ${keyOf(kube)} has no cluster IP of its own (headless, or ExternalName)`,
        why: 'it has no VIP: calls go to pods, and Waywarden cannot tell the service, so it denies with `service_unknown`',
        fix: `give it a cluster IP: delete the Service ${keyOf(kube)} and apply it without \`clusterIP: None\``,
      },
    ]
  return service.addresses.flatMap(({ text, host, port, isIp }) => {
    const isKnown = isIp ? isVip(cluster, host) : isName(cluster, host)
    if (!isKnown && !isIp)
      return [
        {
          ...common,
          id: 'address_unknown' as const,
          what: `\`${host}\` is no Service and no host of a ServiceEntry`,
          why: 'its name does not resolve, so requests to it are denied with `service_unknown`',
          fix: `correct \`addresses\` in services.yaml, or create the Service`,
        },
      ]
    if (isIp && kube !== undefined && !kube.addresses.includes(host))
      return [differs(where, host, port, kube)]
    if (!isKnown) return [strange(where, text)]
    if (kube === undefined || kube.ports.some((known) => known.port === String(port))) return []
    return [
      {
        ...common,
        id: 'port_unknown' as const,
        what: `Service ${keyOf(kube)} has no port ${port}; it has ${kube.ports.map((known) => known.port).join(', ') || 'none'}`,
        why: 'requests come for another port, and are denied with `service_unknown`',
        fix: `addresses: ["${host}:${kube.ports[0]?.port ?? port}"]`,
      },
    ]
  })
}

function differs(where: string, host: string, port: number, kube: KubeService): Finding {
  return {
    id: 'vip_differs',
    severity: 'error',
    what: `the catalog has \`${host}\`, and the cluster IP of Service ${keyOf(kube)} is ${kube.addresses.join(', ') || 'none'}`,
    where,
    why: 'requests to the real address are denied with `service_unknown`; a Service that is given the old address is judged as this service',
    fix: `addresses: ["${formatAddress(kube.addresses[0] ?? kube.name, port)}"]   # or the name alone`,
  }
}

function strange(where: string, address: string): Finding {
  return {
    id: 'vip_differs',
    severity: 'error',
    what: `no Service and no ServiceEntry has the address \`${address}\``,
    where,
    why: 'no request ever goes there; a Service that is given the address later is judged as this service',
    fix: 'addresses: ["<name>.<namespace>.svc.cluster.local:<port>"]',
  }
}

function isVip(cluster: ClusterView, host: string): boolean {
  const { servicesByAddress, entryAddresses } = indexCluster(cluster)
  return servicesByAddress.has(host) || entryAddresses.has(host)
}

function isName(cluster: ClusterView, host: string): boolean {
  return findByHost(cluster, host) !== undefined || indexCluster(cluster).entriesByHost.has(host)
}

/** Drops addresses that two services claim. */
function sharedVips(cluster: ClusterView, catalog: Catalog): readonly Finding[] {
  const claims = new Map<string, Set<string>>()
  for (const { name, addresses } of catalog.services) {
    for (const { host, port, isIp } of addresses) {
      for (const vip of isIp ? [host] : resolve(cluster, host)) {
        const claimed = formatAddress(vip, port)
        claims.set(claimed, (claims.get(claimed) ?? new Set()).add(name))
      }
    }
  }
  return [...claims]
    .filter(([, names]) => names.size > 1)
    .map(([address, names]) => ({
      id: 'vip_shared' as const,
      severity: 'error' as const,
      what: `\`${address}\` is claimed by ${[...names].join(' and ')}`,
      where: 'services.yaml',
      why: 'Waywarden cannot tell which of them is meant, so requests to it are denied with `service_unknown`',
      fix: 'give each service of the catalog an address of its own',
    }))
}

function resolve(cluster: ClusterView, host: string): readonly string[] {
  const entries = indexCluster(cluster).entriesByHost.get(host) ?? []
  return [...(findByHost(cluster, host)?.addresses ?? []), ...entries.flatMap(({ addresses }) => addresses)]
}
