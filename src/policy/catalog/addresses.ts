import { formatAddress } from '../../base/http/address.ts'
import type { Catalog, CatalogService } from './catalog.ts'
import type { WrittenAddress } from './services-schema.ts'

/** The IP addresses of names, by absolute name. */
export type Resolved = ReadonlyMap<string, readonly string[]>

/** Returns the names to resolve: the addresses of services without a VIP of their own. */
export function namesToResolve(catalog: Catalog): readonly string[] {
  const unknown = catalog.services.filter((service) => !service.addresses.some(({ isIp }) => isIp))
  return [...new Set(unknown.flatMap((service) => service.addresses.map(({ host }) => host)))]
}

/** Returns the catalog with the resolved addresses. An address that two services claim belongs to neither. */
export function withResolved(catalog: Catalog, resolved: Resolved): Catalog {
  const byAddress = new Map<string, CatalogService>(catalog.byAddress)
  const contested = new Set<string>()
  for (const service of catalog.services) {
    for (const address of service.addresses.flatMap((named) => resolve(named, resolved))) {
      const owner = byAddress.get(address)
      if (owner !== undefined && owner !== service) contested.add(address)
      byAddress.set(address, service)
    }
  }
  for (const address of contested) byAddress.delete(address)
  return { ...catalog, byAddress }
}

/** DNS may answer in any spelling, so addresses are compared in canonical form. */
function resolve({ host, port }: WrittenAddress, resolved: Resolved): readonly string[] {
  return (resolved.get(host) ?? []).map((ip) => formatAddress(ip, port))
}
